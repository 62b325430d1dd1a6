"""Shows the results of the matrix, on a terminal and as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from e2e.faults.cells import Cell, all_cells
from e2e.faults.kinds import FAULT_KINDS
from e2e.faults.moments import MOMENTS
from e2e.faults.records import HOLDS, KNOWN, UNKNOWN, VIOLATED, CellRecord
from e2e.faults.running import RECOVERED_SECONDS
from e2e.faults.strategies import STRATEGIES

_HEAD = """\
# The matrix of faults

Each cell is a release of a good version under traffic, with one [fault](faults.md) at one moment. It is
judged by the [invariants](invariants.md), and by whether the release ends as it should within {limit:g} s
after the fault. `python -m e2e.faults` runs cells, and makes this page of the records in
[faults-matrix.jsonl](faults-matrix.jsonl).

- **holds**: no invariant was violated, what clients got after the fault was decided, and the release ended.
- **violated**: an invariant was, not as a [finding](findings.md) says; or the release did not end in time.
- **known**: an invariant was violated as a finding about an upstream component says.
- **unknown**: the fault missed its moment, the load was too little for a verdict, or something could not be
  observed.
- **-**: not run.

In a cell: the verdict, how many invariants held, the seconds from the end of the fault until the release had
ended, and failed requests of all. Faults of pods may fail requests: whoever was connected to a pod that is
killed gets an error.
"""
_LONGEST = 300


def line(record: CellRecord) -> str:
    """What a cell came to, in one line for a terminal."""
    reasons = f": {'; '.join(record.reasons)}" if record.reasons else ""
    return f"{record.verdict:9} {record.cell}{reasons}"[:_LONGEST]


def page(records: Mapping[Cell, CellRecord]) -> str:
    """The page of all results, in Markdown."""
    return "\n".join([*_summary(records), *_legend(), *_tables(records), *_reasons(records)]) + "\n"


def _summary(records: Mapping[Cell, CellRecord]) -> Iterator[str]:
    yield _HEAD.format(limit=RECOVERED_SECONDS)
    verdicts = Counter(each.verdict for each in records.values())
    counts = ", ".join(f"{verdicts[each]} {each}" for each in (HOLDS, VIOLATED, KNOWN, UNKNOWN))
    versions = ", ".join(sorted({each.rollouts for each in records.values() if each.rollouts}))
    total = len(all_cells())
    yield f"{len(records)} of {total} cells ran, with Argo Rollouts {versions or '(none)'}: {counts}.\n"


def _legend() -> Iterator[str]:
    for title, rows in (("fault", FAULT_KINDS), ("moment", MOMENTS), ("strategy", STRATEGIES)):
        yield f"| {title} | |\n|---|---|"
        yield from (f"| {name} | {each.what} |" for name, each in rows.items())
        yield ""


def _tables(records: Mapping[Cell, CellRecord]) -> Iterator[str]:
    for strategy in STRATEGIES:
        yield f"## {strategy}\n"
        yield f"| | {' | '.join(MOMENTS)} |\n|---{'|---' * len(MOMENTS)}|"
        for fault in FAULT_KINDS:
            cells = [_cell(records.get(Cell(fault, moment, strategy))) for moment in MOMENTS]
            yield f"| {fault} | {' | '.join(cells)} |"
        yield ""


def _cell(record: CellRecord | None) -> str:
    if record is None:
        return "-"
    word = record.verdict if record.verdict in {HOLDS, UNKNOWN} else f"**{record.verdict}**"
    if not record.sent:
        return word
    took = "" if record.recovered is None else f", {record.recovered:.1f} s"
    aborted = ", aborted" if record.ending == "aborted" and record.moment != "abort" else ""
    return f"{word} {len(record.held)}{took}, {record.failed}/{record.sent:,}{aborted}"


def _reasons(records: Mapping[Cell, CellRecord]) -> Iterator[str]:
    told: Sequence[tuple[str, str]] = (
        (VIOLATED, "What was violated"),
        (KNOWN, "What was violated as a finding says"),
        (UNKNOWN, "Why cells are unknown"),
    )
    for verdict, title in told:
        chosen = [each for each in records.values() if each.verdict == verdict]
        if chosen:
            yield f"## {title}\n"
            yield from (f"- {each.cell}: {_text('; '.join(each.reasons))}" for each in chosen)
            yield ""
    doubts = [each for each in records.values() if each.doubts]
    if doubts:
        yield "## Violations of invariants that may have false alarms\n"
        yield from (f"- {each.cell}: {_text('; '.join(each.doubts))}" for each in doubts)
        yield ""


def _text(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return short.replace("|", "\\|").replace("<", "&lt;")
