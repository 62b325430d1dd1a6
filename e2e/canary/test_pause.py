"""A pause without an end holds until somebody ends it."""

from __future__ import annotations

import pytest

from e2e.touching import touch
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import Window, assert_no_errors, assert_share
from fixtures.timeline.object_record import ObjectRecord
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ReplicaSetRecord, ServiceRecord, WeightRecord
from fixtures.trial.trial import ACTIVE

_WEIGHT = 20
# Until all that was changed before the pause has been told: the objects of a cluster are watched apart.
_TOLD_SECONDS = 6.0
_HOLD_SECONDS = 36.0
_PARTS = 3


@pytest.mark.every_router
@pytest.mark.scenario("can-7")
def test_an_indefinite_pause_holds_weight_and_share(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=combined(without_analysis, canary_steps(_WEIGHT, None, 60, None))) as app:
        with app.traffic(100):
            app.deploy("1.1")
            there = all_of(paused_at(1), weight_is(_WEIGHT))
            app.wait(there, within=60)
            app.holds(there, for_=_TOLD_SECONDS)
            began = app.timeline.clock()
            for part in range(_PARTS):
                # In a quiet cluster nothing makes the controller look again, and any pause would hold.
                touch(app, part)
                app.holds(there, for_=_HOLD_SECONDS / _PARTS)
            ended = app.timeline.clock()
        records = app.records()

        hold = Window(began, ended)
        assert _changes(records, hold) == [], "what routes traffic was changed during the hold"
        settled = windows(records, stream=ACTIVE)[-1]
        parts = _parts(Window(max(began, settled.window.start), ended))
        seen = [
            assert_share(records, stream=ACTIVE, version="1.1", weight=_WEIGHT, window=part) for part in parts
        ]
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(**{f"share in part {n} of {_PARTS}": share for n, share in enumerate(seen, 1)})
    numbers(held=f"{ended - began:.0f} s", failed_requests=f"0 of {answered:,}")


def _changes(records: Recording, hold: Window) -> list[ObjectRecord]:
    """Every change of weights, selectors and sizes."""
    kinds = (WeightRecord, ServiceRecord, ReplicaSetRecord)
    return [record for kind in kinds for record in records.of(kind) if record.t in hold]


def _parts(window: Window) -> list[Window]:
    length = (window.end - window.start) / _PARTS
    return [Window(window.start + n * length, window.start + (n + 1) * length) for n in range(_PARTS)]
