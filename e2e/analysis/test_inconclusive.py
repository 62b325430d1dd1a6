"""An answer that is neither good nor bad is for a human to decide."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.metrics import OF_VERSION, metric, success_rate, wait_until_known
from e2e.analysis.moments import entered, held_at
from e2e.analysis.variants import background, inline, step, template
from e2e.types import EnterClaim, Report, StartTrial
from fixtures.cluster.kinds import ROLLOUT
from fixtures.core.errors import ConditionNotMetError
from fixtures.rollout.conditions import at_step, paused_at, promoted, weight_is
from fixtures.rollout.convergence import assert_alone
from fixtures.rollout.expectation import all_of
from fixtures.rollout.timeline import present
from fixtures.rollout.verdicts import assert_share
from fixtures.suite.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial import ACTIVE, CONVERGENCE_SECONDS, Trial

# Four of five of its answers are good: not good enough, and not bad enough.
_GREY = "1.2-5xx-20"
_CONDITIONS = {
    "successCondition": "len(result) > 0 && result[0] >= 0.99",
    "failureCondition": "len(result) > 0 && result[0] < 0.2",
}
_ANALYSIS_STEP = 2
_PAUSE_AT_50 = 3
_PAUSE_AT_75 = 5
# What the pauses are to last. The analysis has begun, and ended, within the first part of the one at 50%.
_PAUSE_SECONDS = 14
_LAST_PAUSE_SECONDS = 60
# Steps of the second test: its background analysis begins at 50%, and the last pause is at 75%.
_AT_50, _AT_75, _LAST_PAUSE = 2, 4, 5
_PAUSE_SECONDS = 14
_LAST_PAUSE_SECONDS = 60
# For 1,000 requests at 100 a second after the data plane has followed.
_ENOUGH_SECONDS = CONVERGENCE_SECONDS + 11


@pytest.mark.scenario("an-9")
def test_an_inconclusive_analysis_pauses_until_somebody_decides(trial: StartTrial, numbers: Report) -> None:
    grey = template("grey", metric("grey", success_rate(OF_VERSION), _CONDITIONS, count=3))
    steps = inline(25, None, step("grey"), 50, "2s")
    with trial("canary", variant=variants.combined(grey, steps)) as app:
        with app.traffic(100):
            app.deploy(_GREY)
            _go_on_until_undecided(app)
            reason = _pause_reason(app)
            app.holds(_UNDECIDED, for_=_ENOUGH_SECONDS)
            app.abort()
            app.wait_contained(_GREY, within=45)
            app.stays_contained(_GREY, for_=CONVERGENCE_SECONDS)
            app.retry()
            _go_on_until_undecided(app)
            app.promote()
            app.wait(promoted(_GREY), within=90)
            app.holds(promoted(_GREY), for_=_ENOUGH_SECONDS)
        records = app.records()

        assert reason == "InconclusiveAnalysisRun"
        values = [run["value"] for run in present(records, "analysis") if run["value"]]
        value = float(values[-1].strip("[]"))
        assert 0.2 <= value < 0.99, f"measured {value}, which is not between good and bad"
        held = held_at(records, _GREY, 25).window
        share = assert_share(records, lane=ACTIVE, version=_GREY, weight=25, window=held)
        everything = assert_alone(records, lane=ACTIVE, version=_GREY)
    numbers(
        pause=f"{reason}, for as long as nobody decided",
        measured=f"{value:.2f}, between bad (0.2) and good (0.99)",
        share_while_paused=share,
        after_abort="back to the stable version",
        after_retry_and_promote=everything,
    )


@pytest.mark.scenario("an-9")
def test_an_inconclusive_background_analysis_does_not_outlast_a_timed_pause(
    trial: StartTrial, claim: EnterClaim
) -> None:
    grey = template("grey", metric("grey", success_rate(OF_VERSION), _CONDITIONS, count=3))
    pause = f"{_PAUSE_SECONDS}s"
    steps = variants.canary_steps(25, pause, 50, pause, 75, f"{_LAST_PAUSE_SECONDS}s")
    looks = background("grey", starting_step=_PAUSE_AT_50)
    with trial("canary", variant=variants.combined(grey, steps, looks)) as app:
        with app.traffic(100):
            app.deploy(_GREY)
            app.wait(at_step(_PAUSE_AT_50), within=90)
            went_on = _is_promoted(app, within=_PAUSE_SECONDS + _LAST_PAUSE_SECONDS / 2)
            app.holds(promoted(_GREY) if went_on else paused_at(_PAUSE_AT_50), for_=_ENOUGH_SECONDS)
        records = app.records()

        undecided = [run for run in present(records, "analysis") if run["run_phase"] == "Inconclusive"]
        assert undecided, "no analysis was inconclusive"
        held = held_at(records, _GREY, 50).window
        share = assert_share(records, lane=ACTIVE, version=_GREY, weight=50, window=held)
        into = undecided[0]["t"] - entered(records, _GREY, _PAUSE_AT_50)
        assert into < _PAUSE_SECONDS, (
            f"inconclusive {into:.1f} s into a pause of {_PAUSE_SECONDS} s: too late"
        )
        evidence: dict[str, object] = {
            "inconclusive": f"{into:.1f} s into the pause of {_PAUSE_SECONDS} s at 50%",
            "share in that pause": share,
        }
        if went_on:
            last = entered(records, _GREY, _PAUSE_AT_75 + 1) - entered(records, _GREY, _PAUSE_AT_75)
            evidence["the next pause"] = f"ended after {last:.1f} s of {_LAST_PAUSE_SECONDS}"
            evidence["share once promoted"] = assert_alone(records, lane=ACTIVE, version=_GREY)
    claim(
        "An inconclusive background analysis holds a canary with timed pauses until somebody decides",
        expected=DOES_NOT_HOLD,
        found=DOES_NOT_HOLD if went_on else HOLDS,
        evidence=evidence,
    )


_UNDECIDED = all_of(paused_at(_ANALYSIS_STEP), weight_is(25))


def _go_on_until_undecided(app: Trial) -> None:
    """Promote to the analysis once there is something to judge: no data would be inconclusive too."""
    app.wait(all_of(paused_at(_ANALYSIS_STEP - 1), weight_is(25)), within=90)
    wait_until_known(app)
    app.promote()
    app.wait(_UNDECIDED, within=60)


def _pause_reason(app: Trial) -> str:
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    return ", ".join(each["reason"] for each in rollout["status"]["pauseConditions"])


def _is_promoted(app: Trial, *, within: float) -> bool:
    try:
        app.wait(promoted(_GREY), within=within)
    except ConditionNotMetError:
        return False
    return True
