"""The cells of the matrix, in the order in which they run: each round has every moment of every strategy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from e2e.faults.kinds import FAULT_KINDS
from e2e.faults.moments import MOMENTS
from e2e.faults.strategies import STRATEGIES
from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted

# Blue-green has no weights.
_OF_WEIGHTS = {"refuse-weights", "rival-writer"}
# The controller refuses scaleDownDelaySeconds beside dynamicStableScale: no old pods are kept.
_NEVER = ("scale-down", "dynamic")


@dataclass(frozen=True)
class Cell:
    """A fault at a moment of a release by a strategy.

    Attributes:
        fault: The name of the fault.
        moment: The name of the moment.
        strategy: The name of the strategy.
    """

    fault: str
    moment: str
    strategy: str

    def __str__(self) -> str:
        return f"{self.fault}/{self.moment}/{self.strategy}"


def all_cells() -> list[Cell]:
    """Return all cells that there are, in the order in which they run."""
    return [cell for number in range(len(FAULT_KINDS)) for cell in _round(number)]


def in_order_of_need(cells: Iterable[Cell], verdicts: Mapping[Cell, bool]) -> list[Cell]:
    """Return the cells that have not been decided, those that never ran first.

    Args:
        cells: The cells.
        verdicts: Of each cell that ran, whether it was decided.
    """
    undecided = [cell for cell in cells if not verdicts.get(cell)]
    return sorted(undecided, key=lambda cell: cell in verdicts)


def cells_named(names: list[str]) -> list[Cell]:
    """Return the cells of these names; a part of a name stands for all cells that have it.

    Raises:
        FiredampError: There is no such cell.
    """
    chosen = []
    for name in names:
        of_name = [cell for cell in all_cells() if name == str(cell) or name in str(cell).split("/")]
        if not of_name:
            parts = ", ".join([*FAULT_KINDS, *MOMENTS, *STRATEGIES])
            raise FiredampError(f"no cell {quoted(name)}", hint=f"FAULT/MOMENT/STRATEGY, or one of: {parts}")
        chosen += of_name
    return list(dict.fromkeys(chosen))


def _round(number: int) -> Iterator[Cell]:
    """Yield one cell for each moment of each strategy, with as many faults as possible in a round."""
    faults = list(FAULT_KINDS)
    for place, (moment, strategy) in enumerate((m, s) for m in MOMENTS for s in STRATEGIES):
        fault = faults[(place + number) % len(faults)]
        if not (fault in _OF_WEIGHTS and strategy == "blue-green") and (moment, strategy) != _NEVER:
            yield Cell(fault, moment, strategy)
