"""Shows which of upstream's bugs are there on which version, as a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from packaging.version import Version

from e2e.cases.records import CaseRecord
from e2e.cases.scenario_rows import ScenarioRow, ScenarioRows, Seen
from fixtures.core.markdown import plain
from fixtures.plugin.words import table
from fixtures.repro.case import Case
from fixtures.repro.verdict import Verdict

HEAD = """\
# Known bugs, and on which versions they are there

Each row is a [repro file](repro.md) after a public report, run on versions of a component. The verdicts are
of runs, the last one of each version; what did not run says so. `python -m e2e.cases --against
rollouts=v1.8.5,v1.10.2` runs all files on these versions, adds what they came to to
[regressions.jsonl](regressions.jsonl), and makes this page of it. One file alone: `firedamp repro` with
the name of a file.

*Reproduced* means that the right behaviour did not hold, and that what was seen instead is what the report
says. A row that is not reproduced anywhere is the other half of one that is, or a report that does not hold
in the versions that ran.
"""
SCENARIOS = """\
## Rows of scenarios

Reports that a repro file cannot express, such as an upgrade of the controller. The table is kept by hand in
[scenarios.toml](../e2e/cases/scenarios.toml), with the runs that somebody has made.
"""
_ISSUES = "https://github.com/argoproj/argo-rollouts/issues"
_ISSUE = re.compile(r"https://github\.com/argoproj/(?P<project>[\w-]+)/(issues|pull)/(?P<number>\d+)")
_WORDS = {
    Verdict.REPRODUCED.value: "**reproduced**",
    Verdict.NOT_REPRODUCED.value: "not reproduced",
    Verdict.COULD_NOT_BE_RUN.value: "unknown",
}


def page(cases: Sequence[Case], records: Sequence[CaseRecord], others: ScenarioRows) -> str:
    """The page, in Markdown.

    Args:
        cases: All cases.
        records: What they came to, the oldest first.
        others: The reports that have a scenario, or nothing, instead of a case.
    """
    latest = {(each.case, each.component, each.version): each for each in records}
    versions = sorted(
        {(each.component, each.version) for each in records}, key=lambda one: (one[0], Version(one[1]))
    )
    columns = ["case", "what happens", "reported", *(f"{name} {version}" for name, version in versions)]
    rows = [
        [
            f"[{case.name}](../e2e/cases/{case.file.name})",
            plain(case.title),
            ", ".join(_reports(case)) or "not reported",
            *(_verdict(latest, case, *each) for each in versions),
        ]
        for case in cases
    ]
    parts = [HEAD, table(columns, rows), *_unknown(cases, latest), *_others(others)]
    return "\n".join(parts)


def _others(others: ScenarioRows) -> Iterator[str]:
    yield SCENARIOS
    rows = [[_numbers(row.issues), _test(row), plain(row.what), _seen(row.seen)] for row in others.row]
    yield table(["reported", "scenario", "what happens", "seen"], rows)
    yield "## Without a verdict yet\n"
    yield table(["reported", "why"], [[_numbers(each.issues), plain(each.why)] for each in others.left_out])


def _numbers(issues: Sequence[int]) -> str:
    return ", ".join(f"[argo-rollouts#{each}]({_ISSUES}/{each})" for each in issues)


def _test(row: ScenarioRow) -> str:
    file, _, name = row.test.partition("::")
    return f"[{name}](../{file})"


def _seen(seen: Sequence[Seen]) -> str:
    runs = (f"{each.version}: {_WORDS[each.verdict]}, {each.day}, `{each.commit}`" for each in seen)
    return "; ".join(runs) or "not run"


def _verdict(
    latest: Mapping[tuple[str, str, str], CaseRecord], case: Case, component: str, version: str
) -> str:
    record = latest.get((case.name, component, version))
    if record is None:
        return "not run"
    return f"{_WORDS[record.verdict]}, {record.at[:10]}, `{record.commit}`"


def _reports(case: Case) -> Iterator[str]:
    for address in case.sources:
        if found := _ISSUE.fullmatch(address):
            yield f"[{found['project']}#{found['number']}]({address})"


def _unknown(cases: Sequence[Case], latest: Mapping[tuple[str, str, str], CaseRecord]) -> Iterator[str]:
    names = {each.name for each in cases}
    rows = [
        [each.case, f"{each.component} {each.version}", plain(each.shown)]
        for each in latest.values()
        if each.verdict == Verdict.COULD_NOT_BE_RUN.value and each.case in names
    ]
    if rows:
        yield "## What could not be run\n"
        yield table(["case", "version", "why"], rows)
