"""The page of generated mutants: how many are caught, which are missed and why, and what no test reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from e2e.mutants.build import Mutant
from e2e.mutants.reach import Reached
from e2e.mutants.reasons import Reason
from e2e.mutants.records import CAUGHT, MISSED, UNKNOWN, MutantRecord
from e2e.mutants.rows import reached_first
from fixtures.core.markdown import plain
from fixtures.plugin.words import table

_HEAD = """\
<!-- Made by `python -m e2e.mutants`; not written by hand. -->

# Generated mutants

The faults of the [mutation check](mutations.md) were chosen by people, who plant what they think of. These
are made by rules: a program changes each place in the sources of Argo Rollouts where a rule applies, and
builds one controller that has all of them, of which one at a time can be switched on. Which places the tests
reach is measured first. Then mutants are drawn by a seed among those that were reached, and with each run
tests that reach it, those that reach the least first, until one fails. Rows were added for what the first
ones missed; what was missed ran again with these.

- **caught**: a test failed, or an invariant was violated in it.
- **missed**: all that ran passed.
- **equivalent**: missed, and nothing that the controller does tells it from the original, for a reason.
- **unknown**: the tests could not run, or their load was not what was asked for.

Conditions that only ask whether there was an error are left out: negated, nearly every call ends at once,
and any test notices. So are calls that write to a log or an event, loops, and the other traffic routers.

```sh
python -m e2e.mutants reach                     # what each test reaches, with none switched on
python -m e2e.mutants run --count 100 --seed 1  # adds to mutants.jsonl, and writes this page
python -m e2e.mutants run --again --tests 12    # what was missed, with tests that it has not met
```
"""
_Key = tuple[str, str, str]
_SHORT = 70
_EQUIVALENT = "equivalent"


def page(
    mutants: Sequence[Mutant],
    reached: Sequence[Reached],
    covered: tuple[Mapping[str, float], Mapping[str, float]],
    records: Sequence[MutantRecord],
    reasons: Mapping[_Key, Reason],
) -> str:
    """The page, in Markdown.

    Args:
        mutants: All mutants of the controller.
        reached: What each test reached.
        covered: The statements of each package that the first rows cover, in percent, and those that all do.
        records: What tests made of mutants, the oldest first.
        reasons: Why some are missed.
    """
    latest = {each.mutant: each for each in records}
    return "\n".join(
        [
            _HEAD,
            *_summary(list(latest.values()), reasons),
            *_missed(latest, reasons),
            "## Caught\n",
            table(
                ("place", "rule", "source", "caught by", "tests", "s"),
                (
                    (
                        each.place,
                        each.kind,
                        _code(each.original),
                        _short(each.test),
                        str(each.tests),
                        f"{each.seconds:.0f}",
                    )
                    for each in latest.values()
                    if each.verdict == CAUGHT
                ),
            ),
            "",
            *_coverage(mutants, reached, covered),
        ]
    )


def _summary(latest: Sequence[MutantRecord], reasons: Mapping[_Key, Reason]) -> Iterator[str]:
    counts = Counter(verdict_of(each, reasons) for each in latest)
    decided = counts[CAUGHT] + counts[MISSED]
    share = f", {counts[CAUGHT] / decided:.0%}" if decided else ""
    yield (
        f"{counts[CAUGHT]} of {decided} mutants were caught{share}; beside them {counts[_EQUIVALENT]} are "
        f"equivalent, and of {counts[UNKNOWN]} nothing is known.\n"
    )
    by_kind = Counter((each.kind, verdict_of(each, reasons)) for each in latest)
    columns = (CAUGHT, MISSED, _EQUIVALENT, UNKNOWN)
    kinds = sorted({each.kind for each in latest})
    yield table(
        ("rule", *columns), ((kind, *(str(by_kind[kind, verdict]) for verdict in columns)) for kind in kinds)
    )
    yield ""


def _missed(latest: Mapping[_Key, MutantRecord], reasons: Mapping[_Key, Reason]) -> Iterator[str]:
    rows = [
        (
            each.place, each.kind, _code(each.original), verdict_of(each, reasons),
            f"{each.tests} of {each.reaching}", plain(reasons[key].why if key in reasons else each.why),
        )
        for key, each in latest.items()
        if each.verdict != CAUGHT
    ]  # fmt: skip
    if rows:
        yield "## Not caught\n"
        yield table(("place", "rule", "source", "", "tests that reach it", "reason"), rows)
        yield ""


def verdict_of(each: MutantRecord, reasons: Mapping[_Key, Reason]) -> str:
    """The verdict of a record, or `equivalent` if it was missed and a reason says so."""
    reason = reasons.get(each.mutant)
    return _EQUIVALENT if each.verdict == MISSED and reason and reason.equivalent else each.verdict


def _coverage(
    mutants: Sequence[Mutant],
    reached: Sequence[Reached],
    covered: tuple[Mapping[str, float], Mapping[str, float]],
) -> Iterator[str]:
    numbers = {number for each in reached for number in each.mutants}
    first = reached_first(reached)
    at_first = {number for each in first for number in each.mutants}
    yield "## What the tests reach\n"
    yield (
        f"Of {len(mutants):,} mutants, the first {len(first)} tests reach {len(at_first):,}, and with those "
        f"that were added for what they missed, {len(reached)} reach {len(numbers):,}. By package, beside "
        "Go's own coverage:\n"
    )
    rows = []
    for package in sorted({each.file.rpartition("/")[0] for each in mutants}):
        those = [each for each in mutants if each.file.rpartition("/")[0] == package]
        hits = [str(sum(each.id in some for each in those)) for some in (at_first, numbers)]
        shares = [f"{some[package]:.1f}%" if package in some else "unknown" for some in covered]
        rows.append((f"`{package}`", *shares, *hits, str(len(those))))
    columns = ("statements covered at first", "by all", "mutants reached at first", "by all", "of")
    yield table(("package", *columns), rows)
    yield "\n### Functions that no test reaches\n"
    functions: dict[str, dict[str, bool]] = {}
    for each in mutants:
        of_file = functions.setdefault(each.file, {})
        of_file[each.function] = of_file.get(each.function, False) or each.id in numbers
    yield table(
        ("file", "functions"),
        (
            (f"`{file}`", ", ".join(sorted(name for name, is_reached in names.items() if not is_reached)))
            for file, names in functions.items()
            if not all(names.values())
        ),
    )
    yield ""


def _short(test: str) -> str:
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def _code(text: str) -> str:
    shown = text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
    return f"`{shown.replace('|', '¦').replace('`', chr(39))}`"
