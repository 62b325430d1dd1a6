"""Plant each fault and run the row that has to see it: `make mutations`, or `python -m e2e.mutations FAULT…`.

Ends with 0 if every fault turned its row red, and every row is green with the same controller and no fault.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from e2e.mutations import controller
from e2e.mutations.faults import FAULTS, by_name, edits
from e2e.mutations.outcome import Outcome, Verdict, outcome_of
from e2e.mutations.page import page, table
from e2e.mutations.plugin import NONE
from fixtures.core.errors import FiredampError
from fixtures.core.process import spawn
from fixtures.core.progress import Phases

_ROOT = Path(__file__).parents[2]
_LONGEST = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m e2e.mutations", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="these alone, and no control")
    parser.add_argument("--at-once", type=int, default=3, help="clusters side by side; 3 by default")
    parser.add_argument("--out", type=Path, default=Path("firedamp-out/mutations"), help="folder for logs")
    parser.add_argument("--page", type=Path, help="where the page of results goes")
    given = parser.parse_args(arguments)
    unknown = set(given.faults) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"no fault {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in FAULTS)}")
    chosen = [by_name(name) for name in given.faults] or list(FAULTS)
    rows = [] if given.faults else list(dict.fromkeys(row for fault in FAULTS for row in fault.rows))
    phases = Phases()
    with phases.phase("controller with all faults built", estimate=60):
        controller.build(edits())
    shutil.rmtree(given.out, ignore_errors=True)
    jobs = [*((fault.name, row) for fault in chosen for row in fault.rows), *((NONE, row) for row in rows)]
    with ThreadPoolExecutor(given.at_once) as pool:
        observe = partial(_observed, out=given.out.absolute(), phases=phases)
        outcomes = list(pool.map(lambda job: observe(*job), jobs))
    print(table(outcomes))
    if given.page:
        given.page.write_text(page(outcomes))
    return 0 if all(outcome.is_as_it_should for outcome in outcomes) else 1


def _observed(fault: str, row: str, out: Path, phases: Phases) -> Outcome:
    """Run a row with a fault, in a process and a cluster of its own."""
    folder = out / f"{fault}-{row.rpartition('::')[2]}"
    folder.mkdir(parents=True)
    junit = folder / "junit.xml"
    options = ["-p", "e2e.mutations.plugin", "--fault", fault, f"--junitxml={junit}"]
    # A node id without parameters is that of the test on every provider.
    command = [
        sys.executable,
        "-m",
        "pytest",
        *options,
        "--cluster-provider=native",
        f"--firedamp-output={folder / 'out'}",
        row,
    ]
    with phases.phase(f"{fault}: {row.rpartition('::')[2]}", quiet_below=0):
        process = spawn(command, cwd=_ROOT, log=folder / "pytest.log")
        try:
            process.wait(_LONGEST)
        finally:
            process.kill()
    outcome = outcome_of(fault, row, junit)
    if outcome.verdict in {Verdict.MISSED, Verdict.BROKEN}:
        phases.note(f"{fault}: {outcome.verdict.value}: {outcome.why}; see {folder}")
    return outcome


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FiredampError as error:
        sys.exit(str(error))
