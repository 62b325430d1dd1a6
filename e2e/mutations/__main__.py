"""Plant each fault and run the row that must see it: `make mutations`, or `python -m e2e.mutations FAULT…`.

A row is a test. Ends with 0 if every fault made its row fail, and every row passes with the same controller
and no fault.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from e2e.mutations import controller
from e2e.mutations.faults import FAULTS, edits
from e2e.mutations.page import page, table
from e2e.mutations.plugin import NONE
from e2e.mutations.row_run import JUNIT, RowRun, RowStatus, read_runs, row_run_of
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.documents.record_lines import add_record
from fixtures.core.folders import absolute, output_file, output_folder
from fixtures.core.process import spawn
from fixtures.core.progress import Phases
from fixtures.plugin.needs_routers import ON_THE_FIRST

_ROOT = Path(__file__).parents[2]
_RECORDS, _PAGE = "docs/mutations.jsonl", "docs/mutations.md"
_LONGEST = 600.0
# Each run has a cluster with its stack and load.
_MOST_AT_ONCE = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check and return the exit code."""
    names = [*(fault.name for fault in FAULTS), NONE]
    parser = Arguments(prog="python -m e2e.mutations", description=__doc__)
    parser.add_argument(
        "faults", nargs="*", metavar="FAULT", help=f"run only these; {NONE} is the control. All by default"
    )
    at_once = whole_number(1, _MOST_AT_ONCE)
    parser.add_argument("--at-once", type=at_once, default=2, help="clusters side by side; 2 by default")
    parser.add_argument("--out", default="firedamp-out/mutations", help="folder for logs")
    parser.add_argument("--records", default=_RECORDS, help="file to which results are added")
    parser.add_argument("--page", default=_PAGE, help="where the page of all results goes")
    options = parser.parse_args(arguments)
    if unknown := set(options.faults) - set(names):
        parser.error(f"no fault {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    out, phases = absolute(output_folder(options.out, "--out"), "--out"), Phases()
    records, to = (output_file(options.records, "--records"), output_file(options.page, "--page"))
    with phases.phase("controller with all faults built", estimate=60):
        controller.build(edits())
    jobs = [(fault, row) for fault, row in _jobs() if fault in (options.faults or names)]
    with ThreadPoolExecutor(options.at_once) as pool:
        observe = partial(_observed, out=out, phases=phases)
        runs = []
        # A record is kept as soon as its run has ended, whatever becomes of the next ones.
        for run in pool.map(lambda job: observe(*job), jobs):
            add_record(run, records)
            runs.append(run)
    print(table(runs))
    to.write_text(page(_in_order(read_runs(records))))
    return 0 if all(run.is_as_it_should for run in runs) else 1


def _jobs() -> Iterator[tuple[str, str]]:
    """Each fault with each of its rows, then each row without one."""
    for fault in FAULTS:
        for row in fault.rows:
            yield fault.name, row
    for row in dict.fromkeys(row for fault in FAULTS for row in fault.rows):
        yield NONE, row


def _observed(fault: str, row: str, out: Path, phases: Phases) -> RowRun:
    """Run a row with a fault, in a process and a cluster of its own."""
    folder = _folder(out, fault, row)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = ["-p", "e2e.mutations.plugin", "--fault", fault, f"--junitxml={folder / JUNIT}"]
    # A row is a node id without parameters: that of the first router, on a provider chosen by an option.
    where = [
        *ON_THE_FIRST,
        "--cluster-provider=native",
        f"--firedamp-output={folder / 'out'}",
        f"--judge-alone={folder}",
    ]
    command = [sys.executable, "-m", "pytest", *options, *where, row]
    with phases.phase(f"{fault}: {row.rpartition('::')[2]}", quiet_below=0):
        process = spawn(command, cwd=_ROOT, log=folder / "pytest.log")
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LONGEST)
        finally:
            process.kill()
            process.wait()
    run = row_run_of(fault, row, folder)
    if run.status in {RowStatus.MISSED, RowStatus.BROKEN, RowStatus.RED}:
        phases.note(f"{fault}: {run.status.value}: {run.why}; see {folder}")
    return run


def _in_order(runs: Sequence[RowRun]) -> list[RowRun]:
    """The runs of rows that there still are, in the order of the faults."""
    by_job = {(run.fault, run.row): run for run in runs}
    return [by_job[job] for job in _jobs() if job in by_job]


def _folder(out: Path, fault: str, row: str) -> Path:
    return out / f"{fault}-{row.rpartition('::')[2]}"


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
