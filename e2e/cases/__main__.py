"""Run repro files of known bugs on several versions of a component: `python -m e2e.cases [CASE…]`.

One cluster for each version, in which the cases run one after the other. Ends with 0 if all could be run, and
with 2 if one could not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from e2e.cases.page import page
from e2e.cases.records import CaseRecord, read_records
from e2e.cases.scenario_rows import read_rows
from fixtures.core.arguments import Arguments
from fixtures.core.boundary import run_command_line
from fixtures.core.documents.record_lines import add_record
from fixtures.core.folders import absolute, output_file, output_folder
from fixtures.core.progress import Phases
from fixtures.core.terminal import say
from fixtures.environment.environment import Options, require_valid, start
from fixtures.repro.case import Case
from fixtures.repro.reader import read_case
from fixtures.repro.repro import run_in
from fixtures.repro.shown import rows
from fixtures.repro.verdict import Result, Verdict
from fixtures.repro.versions import parse_against, with_versions
from fixtures.versions.commit import commit
from fixtures.versions.records import one_line

_FOLDER = Path(__file__).parent
_RECORDS, _PAGE = "docs/regressions.jsonl", "docs/regressions.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, write the page, and return the exit code."""
    parser = Arguments(prog="python -m e2e.cases", description=__doc__)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="names of files, without their ending; all by default"
    )
    parser.add_argument(
        "--against",
        default="",
        help="a component and versions: rollouts=v1.8.5,v1.10.2; without it, only the page is made",
    )
    parser.add_argument("--out", default="firedamp-out/cases", help="folder for recordings")
    parser.add_argument("--records", default=_RECORDS, help="file to which results are added")
    parser.add_argument("--page", default=_PAGE, help="where the page of all results goes")
    options = parser.parse_args(arguments)
    cases = {file.stem: read_case(file) for file in sorted(_FOLDER.glob("*.yaml"))}
    if unknown := set(options.cases) - cases.keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    out = absolute(output_folder(options.out, "--out"), "--out")
    records, to = output_file(options.records, "--records"), output_file(options.page, "--page")
    verdicts: set[Verdict] = set()
    if options.against:
        component, versions = parse_against(options.against)
        chosen = [cases[name] for name in options.cases or cases]
        for version in versions:
            require_valid(with_versions(Options(), {component: version}), "command")
        for version in versions:
            verdicts |= _run(chosen, component, version, out, records, to)
    to.write_text(page(list(cases.values()), read_records(records), read_rows()))
    say(f"page: {to}")
    return 2 if Verdict.COULD_NOT_BE_RUN in verdicts else 0


def _run(
    cases: Sequence[Case], component: str, version: str, out: Path, records: Path, page_file: Path
) -> set[Verdict]:
    """Run cases on one version, and add what they came to to the records."""
    phases, verdicts, now = Phases(), set[Verdict](), commit([records, page_file])
    with start(with_versions(Options(), {component: version}), phases) as environment:
        for case in cases:
            result = run_in(environment, case, out / version, phases)
            verdicts.add(result.verdict)
            add_record(_record(result, component, version, now), records)
            say(f"{result.verdict.value}: {case.name} on {component} {version}")
    return verdicts


def _record(result: Result, component: str, version: str, now: str) -> CaseRecord:
    ((_, verdict, _, shown),) = rows(component, [result])
    return CaseRecord(
        case=result.case.name,
        component=component,
        version=version,
        verdict=verdict,
        shown=one_line(shown),
        seconds=round(result.seconds.get("in all", 0.0), 1),
        commit=now,
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
