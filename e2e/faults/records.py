"""The records of the cells that ran: one JSON object a line, which is added and never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from e2e.faults.cells import Cell
from fixtures.core.documents import record_lines
from fixtures.core.schema import shaped

HOLDS, VIOLATED, KNOWN, UNKNOWN = "holds", "violated", "known", "unknown"
_Seconds = Annotated[float, Meta(ge=0)]
_HINT = "remove the line; its cell then counts as not run"


class CellRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a cell came to.

    Attributes:
        fault: The name of the fault.
        moment: The name of the moment.
        strategy: The name of the strategy.
        verdict: `holds`, `violated`, `known` (violated as a finding says) or `unknown`.
        reasons: What was violated, or why it is unknown.
        held: The invariants that were decided and held.
        doubts: Violations of invariants that may have false alarms; they do not decide.
        ending: How the release ended: `promoted` or `aborted`; "" if it did not.
        fault_seconds: How long the fault was there.
        recovered: Seconds from its end until the release had ended as it should.
        sent: Requests of clients.
        failed: Requests that failed.
        rollouts: The version of Argo Rollouts.
        at: When it ended: "2026-11-30T15:15:00Z".
    """

    fault: str
    moment: str
    strategy: str
    verdict: Annotated[str, Meta(pattern="^(holds|violated|known|unknown)$")]
    reasons: list[str] = []
    held: list[str] = []
    doubts: list[str] = []
    ending: str = ""
    fault_seconds: _Seconds | None = None
    recovered: _Seconds | None = None
    sent: int = 0
    failed: int = 0
    rollouts: str = ""
    at: str = ""

    @property
    def cell(self) -> Cell:
        """The cell that it is about."""
        return Cell(self.fault, self.moment, self.strategy)


def read_records(file: Path) -> list[CellRecord]:
    """The records of a file, the oldest first; none if there is no file.

    Raises:
        FiredampError: A line is not a record; the text says which.
    """
    return record_lines.read_records(file, lambda row, where: shaped(row, CellRecord, where, hint=_HINT))


def latest(records: list[CellRecord]) -> dict[Cell, CellRecord]:
    """The last record of each cell."""
    return {record.cell: record for record in records}
