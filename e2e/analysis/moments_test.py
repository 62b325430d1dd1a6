from __future__ import annotations

import pytest

from e2e.analysis import moments
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.convergence import Settled
from fixtures.judge.verdicts import Window
from fixtures.timeline.records import AnalysisRecord, ReplicaSetRecord, RolloutRecord
from fixtures.timeline.records_for_test import make, run

MOMENT = Settled({"1.0": 75, "1.1": 25}, Window(10.0, 10.4), 0.0)
HELD = Settled({"1.0": 75, "1.1": 25}, Window(12.0, 30.0), 0.1)
LAST = Settled({"1.1": 100}, Window(31.0), 0.1)


def test_a_weight_of_a_moment_is_not_the_one_that_was_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "windows", lambda _records, stream: [MOMENT, HELD, LAST] if stream else [])
    assert moments.held_at(run(), "1.1", 25) is HELD
    assert moments.held_at(run(), "1.1", 100) is LAST


def test_a_weight_that_never_was_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "windows", lambda _records, stream: [LAST] if stream else [])
    with pytest.raises(ConditionNotMetError, match=r"1\.1 never had 25%"):
        moments.held_at(run(), "1.1", 25)


@pytest.mark.parametrize(("version", "is_first"), [(90, True), (110, False)])
def test_an_analysis_that_was_told_late_began_before_its_abort_all_the_same(
    version: int, is_first: bool
) -> None:
    recording = run(
        [
            make(ReplicaSetRecord, 1.0, name="payments-new", hash="new", image="payments:1.1"),
            make(RolloutRecord, 2.0, abort=True, current="new", resource_version=100),
            make(AnalysisRecord, 5.0, hash="new", resource_version=version),
            make(AnalysisRecord, 6.0, hash="new", resource_version=120),
        ]
    )
    assert moments.began_before_its_abort(recording, "1.1") is is_first


def test_an_analysis_that_never_was_did_not_begin_before_an_abort() -> None:
    recording = run(
        [
            make(ReplicaSetRecord, 1.0, name="payments-new", hash="new", image="payments:1.1"),
            make(RolloutRecord, 2.0, abort=True, current="new", resource_version=100),
        ]
    )
    assert not moments.began_before_its_abort(recording, "1.1")
