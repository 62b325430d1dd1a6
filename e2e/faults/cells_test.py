"""The cells of the matrix are all there, named, and told as what they came to."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from e2e.faults import running
from e2e.faults.cells import Cell, all_cells, cells_named, in_order_of_need
from e2e.faults.kinds import FAULT_KINDS
from e2e.faults.moments import MOMENTS
from e2e.faults.page import page
from e2e.faults.records import CellRecord, latest, read_records
from e2e.faults.strategies import STRATEGIES
from fixtures.core.documents.record_lines import add_record
from fixtures.core.errors import FiredampError
from fixtures.judge.invariants.cases_for_test import CASES
from fixtures.timeline.fault_record import FaultRecord, Part
from fixtures.timeline.recording import Recording
from fixtures.timeline.records_for_test import make

_RECORD = CellRecord(
    fault="kill-pod", moment="pause", strategy="host", verdict="holds", held=["shares", "pauses"],
    ending="promoted", fault_seconds=1.5, recovered=4.0, sent=3000, failed=7, rollouts="v1.10.2",
    at="2026-11-30T15:00:00Z",
)  # fmt: skip


def test_each_fault_is_at_each_moment_of_each_strategy_that_has_weights_for_it() -> None:
    cells = all_cells()
    assert len(cells) == len(set(cells))
    without_weights, without_delay = 2 * len(MOMENTS), len(FAULT_KINDS)
    every = len(FAULT_KINDS) * len(MOMENTS) * len(STRATEGIES)
    assert len(cells) == every - without_weights - without_delay
    assert not [each for each in cells if (each.moment, each.strategy) == ("scale-down", "dynamic")]
    assert not [each for each in cells if each.fault == "rival-writer" and each.strategy == "blue-green"]


def test_the_first_cells_have_each_moment_of_each_strategy_and_most_faults() -> None:
    first = all_cells()[: len(MOMENTS) * len(STRATEGIES) - 3]
    assert {each.moment for each in first} == MOMENTS.keys()
    assert {each.strategy for each in first} == STRATEGIES.keys()
    assert len({each.fault for each in first}) >= len(FAULT_KINDS) - 1


def test_what_never_ran_comes_before_what_is_unknown_and_nothing_decided_again() -> None:
    first, second, third, *others = cells = all_cells()
    assert in_order_of_need(cells, {first: False, second: True}) == [third, *others, first]


def test_cells_are_named_whole_or_by_a_part() -> None:
    assert cells_named(["kill-pod/pause/host"]) == [Cell("kill-pod", "pause", "host")]
    assert {each.fault for each in cells_named(["kill-pod"])} == {"kill-pod"}
    assert {each.strategy for each in cells_named(["host", "kill-pod/pause/host"])} == {"host"}
    with pytest.raises(FiredampError, match=r"no cell 'kill-pods'[^$]*one of: kill-controller"):
        cells_named(["kill-pods"])


def test_records_are_added_and_the_last_one_of_a_cell_counts(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    assert read_records(file) == []
    worse = replace(_RECORD, verdict="violated", reasons=["pauses: it was left"])
    for record in (_RECORD, worse):
        add_record(record, file)
    assert read_records(file) == [_RECORD, worse]
    assert latest(read_records(file)) == {_RECORD.cell: worse}


def test_a_line_that_is_no_record_is_refused_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    add_record(_RECORD, file)
    with file.open("a") as out:
        out.write('{"fault": "kill-pod", "moment": "pause", "strategy": "host", "verdict": "green"}\n')
    with pytest.raises(FiredampError, match="line 2"):
        read_records(file)


def test_the_page_has_each_verdict_with_its_numbers_and_its_reasons() -> None:
    violated = replace(_RECORD, strategy="subset", verdict="violated", reasons=["pauses: it | was left"])
    doubted = replace(_RECORD, strategy="dynamic", doubts=["capacity: too few pods"])
    nothing = CellRecord(fault="kill-pod", moment="abort", strategy="host", verdict="unknown", reasons=["?"])
    text = page({each.cell: each for each in (_RECORD, violated, doubted, nothing)})
    assert f"4 of {len(all_cells())} cells ran, with Argo Rollouts v1.10.2: 2 holds, 1 violated" in text
    assert "| kill-pod | - | - | holds 2, 4.0 s, 7/3,000 | - | - | unknown | - |" in text
    assert "| **violated** 2, 4.0 s, 7/3,000 |" in text
    assert "- kill-pod/pause/subset: pauses: it \\| was left" in text
    assert "- kill-pod/abort/host: ?" in text
    assert "- kill-pod/pause/dynamic: capacity: too few pods" in text


def test_a_recording_is_judged_again_and_whether_it_ended_in_time_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"number": 1, "fault": "kill", "target": "it", "detail": "", "part": Part.PODS}
    moments = [make(FaultRecord, t, moment=moment, **fault) for t, moment in ((8, "begun"), (9, "over"))]
    case = CASES["steps-forward"].violates
    recorded = Recording([*case.others, *moments], case.requests)
    monkeypatch.setattr(running, "load", lambda _: recorded)
    late = "not recovered within 45 s: it was not"
    again = running.judged_again(replace(_RECORD, reasons=[late, "pauses: mended since"]), tmp_path)
    assert again.verdict == "violated"
    assert again.reasons[0] == late
    assert any(each.startswith("steps-forward: ") for each in again.reasons)
    assert not any("mended since" in each for each in again.reasons)
    assert (again.cell, again.rollouts, again.recovered) == (_RECORD.cell, "v1.10.2", 4.0)
