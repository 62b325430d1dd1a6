"""After an abort, the same version, its fix, or the version before is deployed."""

from __future__ import annotations

import pytest

from e2e.bounds import PODS
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, judged_by, without_analysis
from fixtures.conditions.conditions import healthy, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import lasting, reconciled
from fixtures.judge.convergence import assert_alone, assert_gone
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

BAD = "1.2-5xx"
# No good version is to be aborted because the machine that runs all this stalls.
_ERRORS_ALONE = judged_by("success-rate")
# 1,000 requests at 100/s, also if the load stalls for 2 s at the end.
_WINDOW_SECONDS = 12.0
_PAUSED = all_of(paused_at(1), weight_is(10))


@pytest.mark.scenario("can-10")
def test_a_version_that_was_aborted_twice_can_be_tried_again_and_promoted(
    trial: StartTrial, numbers: Report
) -> None:
    steps = canary_steps(10, None, 50, None)
    with trial("canary", variant=combined(without_analysis, steps)) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(_PAUSED, within=45)
            app.promote()
            app.wait(paused_at(3), within=45)
            # However far it came, it begins again with the first step.
            app.abort()
            app.wait_contained("1.1", within=30)
            app.retry()
            again = app.wait(_PAUSED, within=45)
            app.abort()
            app.wait_contained("1.1", within=30)
            withdrawn = app.timeline.clock()
            app.stays_contained("1.1", for_=CONVERGENCE_SECONDS + _WINDOW_SECONDS)
            retried = app.timeline.clock()
            app.retry()
            app.wait(_PAUSED, within=45)
            app.promote()
            app.wait(paused_at(3), within=45)
            app.promote()
            app.wait(promoted("1.1"), within=60)
            app.stays_promoted("1.1")
        records = app.records()

        window = Window(withdrawn + CONVERGENCE_SECONDS, retried)
        gone = assert_exactly_none(records, stream=ACTIVE, version="1.1", window=window)
        share = assert_alone(records, stream=ACTIVE, version="1.1")
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        retry_to_paused_at_10=PODS.judged("retry", again),
        after_the_second_abort=gone,
        share_once_promoted=share,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-10")
def test_the_fix_can_be_deployed_on_an_aborted_version(trial: StartTrial, numbers: Report) -> None:
    # No pause that ends by itself: the analysis may see nothing of the broken version for the first 10 s.
    with trial("canary", variant=combined(_ERRORS_ALONE, canary_steps(10, None, 50, "3s"))) as app:
        with app.traffic(100):
            app.deploy(BAD)
            app.wait_contained(BAD, within=60)
            app.stays_contained(BAD, for_=CONVERGENCE_SECONDS)
            fixed = app.timeline.clock()
            app.deploy("1.1")
            app.wait(_PAUSED, within=45)
            app.promote()
            app.wait(promoted("1.1"), within=60)
            took = app.timeline.clock() - fixed
            app.stays_promoted("1.1")
        records = app.records()

        since = Window(fixed)
        none = assert_exactly_none(records, stream=ACTIVE, version=BAD, window=since)
        answered = assert_no_errors(records, stream=ACTIVE, window=since)
        share = assert_alone(records, stream=ACTIVE, version="1.1")
    numbers(
        fix_to_promoted=(PODS + PODS + lasting("pause", 3) + reconciled()).judged("the fix", took),
        broken_version_from_the_fix_on=none,
        share_of_the_fix=share,
        failed_requests_from_the_fix_on=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-10")
def test_undo_makes_an_aborted_rollout_healthy_without_a_new_pod(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_ERRORS_ALONE) as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy(BAD)
            app.wait_contained(BAD, within=60)
            undone_at = app.timeline.clock()
            app.undo()
            app.wait(promoted("1.0"), within=60)
            took = app.timeline.clock() - undone_at
            app.stays(all_of(healthy(), weight_is(0)), weights={"1.0": 100})
        records = app.records()

        gone = assert_gone(records, stream=ACTIVE, version=BAD, allow=CONVERGENCE_SECONDS)
        assert app.stable_pods() == before, "the stable pods were touched"
        runs = {run.name for run in records.present(AnalysisRecord) if run.t > undone_at}
        started = {run.name for run in records.present(AnalysisRecord) if run.t <= undone_at}
        assert runs <= started, f"the stable version was analysed: {runs - started}"
    numbers(undo_to_Healthy=reconciled().judged("undo", took), broken_version_after_convergence=gone)
