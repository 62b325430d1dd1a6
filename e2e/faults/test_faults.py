"""Faults in the middle of releases: the example of the page, and cells of the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.faults.cells import Cell
from e2e.faults.records import HOLDS, KNOWN
from e2e.faults.running import run_cell
from e2e.types import Report, StartTrial
from fixtures.docs.markdown import ROOT, blocks
from fixtures.environment.environment import Environment

pytestmark = pytest.mark.usefixtures("embedded_node")

_PAGE = ROOT / "docs" / "faults.md"
# Of both strategies, with faults of two parts; `python -m e2e.faults` has all cells.
_CELLS = (Cell("partition-controller", "pause", "host"), Cell("partition-istiod", "switch", "blue-green"))


@pytest.mark.scenario("fault-1")
def test_the_example_of_the_page_runs(trial: StartTrial) -> None:
    (code,) = blocks(_PAGE, "python")
    names: dict[str, object] = {}
    exec(compile(code.text, str(_PAGE), "exec"), names)  # noqa: S102 - what users are told to write
    (example,) = [each for name, each in names.items() if name.startswith("test_") and callable(each)]
    example(trial)


@pytest.mark.scenario("fault-2")
@pytest.mark.parametrize("cell", _CELLS, ids=str)
def test_what_must_hold_holds_with_a_fault(
    cell: Cell, environment: Environment, tmp_path: Path, numbers: Report
) -> None:
    record = run_cell(environment, cell, tmp_path / "cell")
    assert record.verdict in {HOLDS, KNOWN}, record
    ended = f"ended {record.recovered} s after the fault, {record.failed} of {record.sent:,} requests failed"
    numbers(**{str(cell): f"{record.verdict}: {len(record.held)} invariants held, {ended}"})
