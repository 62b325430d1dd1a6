from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from e2e.mutants.build import Mutant
from e2e.mutants.page import page
from e2e.mutants.reach import Reached
from e2e.mutants.reasons import Reason
from e2e.mutants.records import CAUGHT, MISSED, UNKNOWN, MutantRecord, read_records
from e2e.mutants.rows import ROWS
from fixtures.core.documents.record_lines import add_record
from fixtures.core.errors import FiredampError

PAUSE = Mutant(1, "rollout/pause.go", 10, "isPaused", "condition negated", "a || b")
SCALE = Mutant(2, "rollout/scale.go", 20, "scale", "call dropped", "c.scale()")
ELSEWHERE = Mutant(3, "utils/istio/host.go", 30, "host", "number increased", "1")


def record(mutant: Mutant, verdict: str, **others: str) -> MutantRecord:
    known = MutantRecord(
        version="v1.10.2", place=mutant.place, kind=mutant.kind, original=mutant.original, verdict=verdict,
        test="", why="", tests=1, reaching=2, seconds=60.0, commit="abc", at="2026-11-30T15:15:00Z",
    )  # fmt: skip
    return msgspec.structs.replace(known, **others)


def shown(records: list[MutantRecord], *reasons: Reason) -> str:
    return page(
        [PAUSE, SCALE, ELSEWHERE],
        [Reached("test_x.py::test_one", (1, 2)), Reached(f"{ROWS[0]}[x]", (1,))],
        ({"rollout": 61.24}, {"rollout": 70.0}),
        records,
        {(each.place, each.kind, each.original): each for each in reasons},
    )


def test_the_last_record_of_a_mutant_counts() -> None:
    text = shown(
        [record(PAUSE, UNKNOWN, why="no cluster"), record(PAUSE, CAUGHT, test="x.py::test_it_holds")]
    )
    assert (
        "1 of 1 mutants were caught, 100%; beside them 0 are equivalent, and of 0 nothing is known." in text
    )
    assert "| it holds |" in text
    assert "no cluster" not in text


def test_an_equivalent_mutant_is_not_counted_as_missed() -> None:
    same = Reason(SCALE.place, SCALE.kind, SCALE.original, equivalent=True, why="it scales again at once")
    records = [record(PAUSE, CAUGHT), record(SCALE, MISSED)]
    assert "1 of 2 mutants were caught, 50%" in shown(records)
    text = shown(records, same)
    assert "1 of 1 mutants were caught, 100%; beside them 1 are equivalent" in text
    assert "it scales again at once" in text


def test_a_reason_alone_makes_no_mutant_equivalent() -> None:
    reason = Reason(SCALE.place, SCALE.kind, SCALE.original, equivalent=False, why="no test scales down")
    text = shown([record(PAUSE, CAUGHT), record(SCALE, MISSED)], reason)
    assert "1 of 2 mutants were caught, 50%" in text
    assert "no test scales down" in text


def test_what_no_test_reaches_is_listed_by_file() -> None:
    text = shown([])
    assert "| `rollout` | 61.2% | 70.0% | 1 | 2 | 2 |" in text
    assert "| `utils/istio` | unknown | unknown | 0 | 0 | 1 |" in text
    assert "| `utils/istio/host.go` | host |" in text
    assert "| `rollout/pause.go` |" not in text


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mutants.jsonl"
    add_record(record(PAUSE, CAUGHT), file)
    assert read_records(file) == [record(PAUSE, CAUGHT)]
    file.write_text(file.read_text().replace('"caught"', '"killed"'))
    with pytest.raises(FiredampError, match=r"mutants\.jsonl, line 1"):
        read_records(file)
