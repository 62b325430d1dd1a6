"""When each kind of analysis begins, and that a failure of any kind aborts the canary."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.moments import began, began_before_its_abort, entered, held_at
from e2e.analysis.variants import background, inline, per_version, step
from e2e.types import Report, StartTrial
from fixtures.judge.convergence import assert_gone
from fixtures.judge.release.release import Release, release_of
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial
from loadgen.statistics import Share

_BAD = "1.2-5xx"
# Watches of different kinds may tell of two changes in another order, on a machine without time by 4.9 s. Any
# other step is 14 s away.
_LAG = 6.0
# From the step that asks for an analysis to the AnalysisRun.
_START_SECONDS = 10.0
_ENDLESS = {"name": "count", "value": "0"}


@pytest.mark.smoke
@pytest.mark.every_router
@pytest.mark.scenario("an-1")
def test_an_analysis_step_begins_when_the_canary_gets_there(trial: StartTrial, numbers: Report) -> None:
    variant = variants.combined(
        per_version(20, inconclusive_limit=19), inline(25, "14s", step("per-version"), 50, "60s")
    )
    with trial("canary", variant=variant) as app:
        _release(app, _BAD)
        records = app.records()

        release, share = _judge(records, _BAD, weight=25)
        late = began(records, _BAD) - entered(records, _BAD, 2)
        assert -_LAG <= late <= _START_SECONDS, f"the AnalysisRun came {late:.2f} s after its step began"
        assert began_before_its_abort(records, _BAD)
    numbers(
        share_before_anybody_looked=share,
        step_to_AnalysisRun=f"{late:.2f} s",
        **_measured(records, release),
    )


@pytest.mark.every_router
@pytest.mark.scenario("an-1")
def test_a_background_analysis_begins_with_the_canary_and_ends_it_at_any_step(
    trial: StartTrial, numbers: Report
) -> None:
    # Half of 100 requests/s is more than one pod of this version can take; a tenth is not.
    bad = "1.2-overload"
    steps = variants.combined(
        background("success-rate", _ENDLESS), variants.canary_steps(10, "14s", 50, "60s", 75, "60s")
    )
    with trial("canary", variant=steps) as app:
        with app.traffic(100):
            app.deploy(bad)
            app.wait_contained(bad, within=120)
            app.stays_contained(bad)
        records = app.records()

        release, share = _judge(records, bad, weight=10)
        tenth = held_at(records, bad, 10).window
        answered = assert_no_errors(records, stream=ACTIVE, window=tenth)
        early = entered(records, bad, 1) - began(records, bad)
        assert early >= -_LAG, f"the AnalysisRun began {-early:.2f} s after the first step ended"
        aborted = release.milestones.aborted
        assert aborted is not None
        into = aborted - entered(records, bad, 3)
        assert 0 < into < 50, f"aborted {into:.1f} s into the pause of 60 s at 50%"
    numbers(
        AnalysisRun_before_the_first_step_ended=f"{early:.2f} s",
        failed_requests_at_10_percent=f"0 of {answered:,}, of which the canary had {share}",
        aborted=f"{into:.1f} s into a pause of 60 s at 50%",
        **_measured(records, release),
    )


@pytest.mark.every_router
@pytest.mark.scenario("an-1")
def test_a_background_analysis_with_a_starting_step_does_not_look_before_it(
    trial: StartTrial, numbers: Report
) -> None:
    steps = variants.combined(
        background("success-rate", _ENDLESS, starting_step=2), variants.canary_steps(25, "14s", 50, "60s")
    )
    with trial("canary", variant=steps) as app:
        _release(app, _BAD)
        records = app.records()

        release, share = _judge(records, _BAD, weight=25)
        late = began(records, _BAD) - entered(records, _BAD, 2)
        assert -_LAG <= late <= _START_SECONDS, f"the AnalysisRun came {late:.2f} s after its step began"
    numbers(
        share_before_anybody_looked=share, step_to_AnalysisRun=f"{late:.2f} s", **_measured(records, release)
    )


def _release(app: Trial, version: str) -> None:
    """Release a version that is bad from the start, and return after 1,000 requests that could show it."""
    with app.traffic(100):
        app.deploy(version)
        app.wait_contained(version, within=120)
        app.stays_contained(version)


def _judge(records: Recording, version: str, *, weight: int) -> tuple[Release, Share]:
    """See that clients got a version at its first weight, and not after its analysis had failed."""
    release = release_of(records, version=version, stream=ACTIVE)
    assert release.milestones.analysis_failed is not None, "it was aborted, but not by its analysis"
    assert_gone(records, stream=ACTIVE, version=version, allow=CONVERGENCE_SECONDS)
    first = held_at(records, version, weight).window
    share = assert_share(records, stream=ACTIVE, version=version, weight=weight, window=first)
    return release, share


def _measured(records: Recording, release: Release) -> dict[str, object]:
    aborted = release.milestones.aborted
    assert aborted is not None
    return {
        "AnalysisRun_to_abort": f"{aborted - began(records, release.version):.2f} s",
        "bad_responses_of_all": release.bad,
    }
