"""Generated mutants of Argo Rollouts: `python -m e2e.mutants reach`, and then `… run --count 100 --seed 1`.

`reach` runs the tests of `rows.py` with none switched on, and keeps which mutants and lines each reaches; a
test of which that is known does not run again, until its folder is deleted. `run` draws mutants among those
by a seed, and runs with each the tests that reach it; with `--again`, also with those that were missed while
some of these tests had not run. Ends with 0 if all that ran were caught or have a reason, 1 if one was
missed, and 2 if nothing is known of one.
"""

from __future__ import annotations

import random
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from e2e.mutants import coverage, reach
from e2e.mutants.build import Built, Mutant, build
from e2e.mutants.page import page, verdict_of
from e2e.mutants.reach import Reached
from e2e.mutants.reasons import read_reasons
from e2e.mutants.records import MISSED, UNKNOWN, MutantRecord, read_records
from e2e.mutants.rows import ADDED, ROWS, is_of, reached_first, touching
from e2e.mutants.running import NONE, Outcome, run
from fixtures.addons.components import all_recipes
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.documents.record_lines import add_record
from fixtures.core.errors import FiredampError
from fixtures.core.folders import absolute, new_folder, output_file, output_folder
from fixtures.core.progress import Phases
from fixtures.core.terminal import say
from fixtures.versions.commit import commit
from fixtures.versions.records import one_line

_RECORDS, _PAGE = "docs/mutants.jsonl", "docs/mutants.md"
_REACHED = "reached"
_ALL = (*ROWS, *ADDED)
_MOST_AT_ONCE, _MOST = 16, 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command says, write the page, and return the exit code."""
    parser = Arguments(prog="python -m e2e.mutants", description=__doc__)
    parser.add_argument("command", choices=("reach", "run", "page"))
    parser.add_argument("--count", type=whole_number(1, _MOST), default=100, help="mutants to draw")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31), default=1, help="what is drawn follows from it"
    )
    parser.add_argument(
        "--tests", type=whole_number(1, len(_ALL) * 4), default=6, help="tests for each, at most"
    )
    parser.add_argument(
        "--minutes", type=whole_number(1, _MOST), default=_MOST, help="begin none after so many"
    )
    parser.add_argument(
        "--at-once", type=whole_number(1, _MOST_AT_ONCE), default=2, help="clusters side by side"
    )
    parser.add_argument("--again", action="store_true", help="also those missed that some tests have not met")
    parser.add_argument("--out", default="firedamp-out/mutants", help="folder for what the tests leave")
    parser.add_argument("--records", default=_RECORDS, help="file to which results are added")
    parser.add_argument("--page", default=_PAGE, help="where the page of all results goes")
    options = parser.parse_args(arguments)
    out = absolute(output_folder(options.out, "--out"), "--out")
    records, to = output_file(options.records, "--records"), output_file(options.page, "--page")
    phases = Phases()
    with phases.phase("controller with all mutants built", estimate=300):
        built = build()
    if options.command == "reach":
        return _reach(out, phases)
    reached = reach.read(out / _REACHED)
    if not reached:
        raise FiredampError(
            "it is not known what tests reach", hint="run `python -m e2e.mutants reach` first"
        )
    verdicts: list[MutantRecord] = []
    if options.command == "run":
        verdicts = _run(built, reached, options, out, records, phases)
    reasons = read_reasons()
    before = coverage.percentages(out / _REACHED, reached_first(reached))
    after = coverage.percentages(out / _REACHED, reached)
    to.write_text(
        page(list(built.mutants.values()), reached, (before, after), read_records(records), reasons)
    )
    say(f"page: {to}")
    if any(each.verdict == MISSED and each.mutant not in reasons for each in verdicts):
        return 1
    return 2 if any(each.verdict == UNKNOWN for each in verdicts) else 0


def _reach(out: Path, phases: Phases) -> int:
    """Run the tests of which it is not known what they reach, without a mutant. Ends with 1 if one fails."""
    folder = out / _REACHED
    known = [each.test for each in reach.read(folder)]
    tests = [row for row in _ALL if not any(is_of(test, (row,)) for test in known)]
    with phases.phase(f"what {len(tests)} tests reach", quiet_below=0):
        outcome = run(NONE, tests, new_folder(out, "reach") / "session", f"--reached={folder}")
    if outcome.verdict != MISSED:
        say(f"without a mutant, {outcome.test} failed: {outcome.why}")
        return 1
    return 0


def _run(
    built: Built, reached: Sequence[Reached], options: Namespace, out: Path, records: Path, phases: Phases
) -> list[MutantRecord]:
    """Run the mutants that are drawn and have no verdict yet."""
    numbers = sorted({number for each in reached_first(reached) for number in each.mutants})
    drawn = random.Random(options.seed).sample(numbers, min(options.count, len(numbers)))
    reasons = read_reasons()
    latest = {each.mutant: each for each in read_records(records)}

    def is_open(mutant: Mutant) -> bool:
        """It has no verdict, or with `--again` one to which not all tests contributed."""
        record = latest.get(mutant.called)
        if record is None or record.verdict == UNKNOWN:
            return True
        is_missed = options.again and verdict_of(record, reasons) == MISSED
        return is_missed and record.tests < len(touching(reached, mutant.id))

    left = [mutant for number in drawn if is_open(mutant := built.mutants[number])]
    ends = time.monotonic() + 60 * options.minutes
    now, version = commit([records]), all_recipes().pins["rollouts"].version

    def observed(mutant: Mutant) -> MutantRecord | None:
        if time.monotonic() > ends:
            return None
        all_tests = touching(reached, mutant.id)
        tests = all_tests[: options.tests]
        with phases.phase(f"{mutant.id}: {mutant.kind} in {mutant.place}", quiet_below=0):
            outcome = run(mutant.id, tests, new_folder(out, str(mutant.id)) / "session", "-x")
        record = _record(mutant, outcome, len(all_tests), version, now)
        phases.note(f"{mutant.id}: {outcome.verdict} {outcome.test.rpartition('::')[2]} {outcome.why}")
        add_record(record, records)
        return record

    with ThreadPoolExecutor(options.at_once) as pool:
        return [record for record in pool.map(observed, left) if record]


def _record(mutant: Mutant, outcome: Outcome, reaching: int, version: str, now: str) -> MutantRecord:
    return MutantRecord(
        version=version,
        place=mutant.place,
        kind=mutant.kind,
        original=mutant.original,
        verdict=outcome.verdict,
        test=outcome.test,
        why=one_line(outcome.why),
        tests=outcome.tests,
        reaching=reaching,
        seconds=round(outcome.seconds, 1),
        commit=now,
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
