"""Run cells of the matrix of faults in one cluster: `python -m e2e.faults [CELL…]`.

Ends with 0 if no cell of this run was violated other than as a finding says, 1 if one was, and 2 if none was
decided.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.faults.cells import Cell, all_cells, cells_named, in_order_of_need
from e2e.faults.page import line, page
from e2e.faults.records import HOLDS, KNOWN, VIOLATED, CellRecord, latest, read_records
from e2e.faults.running import judged_again, run_cell
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.documents.record_lines import add_record
from fixtures.core.folders import absolute, output_file, output_folder
from fixtures.core.progress import Phases
from fixtures.core.terminal import say
from fixtures.environment.environment import Environment, Options, start

_RECORDS, _PAGE = "docs/faults-matrix.jsonl", "docs/faults-matrix.md"
_MOST_MINUTES = 24 * 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells and return the exit code."""
    parser = Arguments(prog="python -m e2e.faults", description=__doc__)
    parser.add_argument(
        "cells",
        nargs="*",
        metavar="CELL",
        help="FAULT/MOMENT/STRATEGY, or a fault, moment or strategy for all its cells; all by default",
    )
    parser.add_argument("--reuse", default="", help="a running cluster of this name; by default a new one")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="only cells that are not decided yet; those that never ran come first",
    )
    again = "judge the recordings in --out again, without a cluster, after a change of the invariants"
    parser.add_argument("--again", action="store_true", help=again)
    minutes = whole_number(1, _MOST_MINUTES)
    parser.add_argument("--minutes", type=minutes, help="begin no cell after so many minutes")
    parser.add_argument("--out", default="firedamp-out/faults", help="folder for recordings")
    parser.add_argument("--records", default=_RECORDS, help="file to which results are added")
    parser.add_argument("--page", default=_PAGE, help="where the page of all results goes")
    options = parser.parse_args(arguments)
    out = absolute(output_folder(options.out, "--out"), "--out")
    records, to = (output_file(options.records, "--records"), output_file(options.page, "--page"))
    cells = cells_named(options.cells) if options.cells else all_cells()
    if options.resume:
        ran_before = latest(read_records(records)).items()
        cells = in_order_of_need(cells, {cell: each.verdict in _DECIDED for cell, each in ran_before})
    if options.again:
        ran = _judge_again(latest(read_records(records)), cells, out, records)
        to.write_text(page(latest(read_records(records))))
        return 1 if VIOLATED in {each.verdict for each in ran} else 0
    ends = time.monotonic() + 60 * (options.minutes or _MOST_MINUTES)
    environment = start(Options(reuse=options.reuse))
    try:
        ran = _run(environment, cells, out, records, ends)
    finally:
        if not options.reuse:
            environment.cluster.stop()
        to.write_text(page(latest(read_records(records))))
    verdicts = {each.verdict for each in ran}
    if VIOLATED in verdicts:
        return 1
    return 0 if verdicts & {HOLDS, KNOWN} else 2


_DECIDED = {HOLDS, KNOWN, VIOLATED}


def _judge_again(
    before: Mapping[Cell, CellRecord], cells: Sequence[Cell], out: Path, records: Path
) -> list[CellRecord]:
    """Judge each recording that is there, and add a record where the verdict is another one."""
    changed = []
    for cell in cells:
        folder = _folder(out, cell)
        # What has no version did not come to its end.
        if cell not in before or not before[cell].rollouts or not folder.exists():
            continue
        record = judged_again(before[cell], folder)
        if (record.verdict, record.reasons) != (before[cell].verdict, before[cell].reasons):
            say(line(record))
            add_record(record, records)
            changed.append(record)
    return changed


def _folder(out: Path, cell: Cell) -> Path:
    return out / str(cell).replace("/", "-")


def _run(
    environment: Environment, cells: Sequence[Cell], out: Path, records: Path, ends: float
) -> list[CellRecord]:
    phases, ran = Phases(), list[CellRecord]()
    for cell in cells:
        if time.monotonic() > ends:
            break
        folder = _folder(out, cell)
        shutil.rmtree(folder, ignore_errors=True)
        with phases.phase(str(cell), quiet_below=0):
            # A fault of the cell before may have left an add-on busy.
            environment.stack.ready(environment.kube, Phases())
            record = run_cell(environment, cell, folder)
        phases.note(line(record))
        add_record(record, records)
        ran.append(record)
    return ran


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
