"""A new version that does not work never becomes active, although promotion is automatic."""

from __future__ import annotations

import pytest

from e2e.bluegreen.strategy import analysis, blue_green
from e2e.bluegreen.switching import selected, used_at
from e2e.bounds import FAILURE_LIMIT
from e2e.deadline import give_up_after
from e2e.types import Report, StartTrial
from e2e.variants import combined
from fixtures.conditions.conditions import aborted
from fixtures.judge.bounds import Bound, failed, lasting, reconciled
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors
from fixtures.timeline.records import RolloutRecord
from fixtures.trial.trial import ACTIVE


@pytest.mark.scenario("bg-7")
@pytest.mark.parametrize(
    ("version", "deadline", "because"),
    [
        ("1.2-crash", 15, "has timed out progressing"),
        # It has to be available first, however long that takes on a busy machine.
        ("1.2-5xx", 90, 'Metric "success-rate" assessed Failed'),
        ("1.2-neverready", 15, "has timed out progressing"),
    ],
)
def test_a_broken_green_never_reaches_active(
    trial: StartTrial, numbers: Report, version: str, deadline: int, because: str
) -> None:
    variant = combined(blue_green(autoPromotionEnabled=True), analysis("prePromotionAnalysis"))
    with trial("bluegreen", variant=variant) as app:
        give_up_after(app, deadline)
        before = app.stable_pods()
        with app.traffic(100, preview_rate=50):
            app.deploy(version)
            app.wait(aborted(version=version), within=150)
            took = app.timeline.clock() - used_at(app.records(), "deploy")
            app.holds(aborted(version=version), for_=10)
        records = app.records()

        assert because in records.of(RolloutRecord)[-1].message
        assert selected(records) == ["1.0"], "the active Service was switched"
        none = assert_exactly_none(records, stream=ACTIVE, version=version)
        answered = assert_no_errors(records, stream=ACTIVE)
        assert app.stable_pods() == before, "blue's pods were touched"
    numbers(
        deploy_to_aborted=f"{_bound(deadline, because).judged('from deploy to abort', took)}: {because}",
        active_from_green=none,
        failed_requests=f"0 of {answered:,}",
    )


def _bound(deadline: int, because: str) -> Bound:
    """A deadline that is exceeded, or pods that start within it and are then measured."""
    started = lasting("progressDeadlineSeconds", deadline) + reconciled()
    return started if "timed out" in because else started + failed(failure_limit=FAILURE_LIMIT)
