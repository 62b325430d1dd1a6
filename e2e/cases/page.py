"""Shows which of upstream's bugs are there on which version, as a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from packaging.version import Version

from e2e.cases.records import CaseRecord
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
_ISSUE = re.compile(r"https://github\.com/argoproj/(?P<project>[\w-]+)/(issues|pull)/(?P<number>\d+)")
_WORDS = {
    Verdict.REPRODUCED.value: "**reproduced**",
    Verdict.NOT_REPRODUCED.value: "not reproduced",
    Verdict.COULD_NOT_BE_RUN.value: "unknown",
}


def page(cases: Sequence[Case], records: Sequence[CaseRecord]) -> str:
    """The page, in Markdown.

    Args:
        cases: All cases.
        records: What they came to, the oldest first.
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
    parts = [HEAD, table(columns, rows), *_unknown(cases, latest)]
    return "\n".join(parts)


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
