"""An analysis whose answer is neither good nor bad pauses the Rollout until a person decides."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.metrics import OF_VERSION, metric, success_rate, wait_until_known
from e2e.analysis.moments import entered, held_at
from e2e.analysis.variants import background, inline, step, template
from e2e.touching import touch
from e2e.types import EnterClaim, Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.convergence import assert_alone
from fixtures.judge.verdicts import assert_share
from fixtures.kube.kinds import ROLLOUT
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial

# Four of five of its answers are good: not good enough, and not bad enough.
_GREY = "1.2-5xx-20"
_CONDITIONS = {
    "successCondition": "len(result) > 0 && result[0] >= 0.99",
    "failureCondition": "len(result) > 0 && result[0] < 0.2",
}
_ANALYSIS_STEP = 2
# What the pauses of the second test are to last, of which the second is at this step.
_PAUSE_SECONDS = 14
_PAUSE_AT_50 = 3
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
            # However often the controller looks, there is one pause and one reason for it.
            touch(app)
            app.stays(_UNDECIDED, weights={"1.0": 75, _GREY: 25})
            reason = _pause_reason(app)
            app.abort()
            app.wait_contained(_GREY, within=45)
            app.stays_contained(_GREY, for_=CONVERGENCE_SECONDS)
            app.retry()
            _go_on_until_undecided(app)
            app.promote()
            app.wait(promoted(_GREY), within=90)
            app.stays_promoted(_GREY)
        records = app.records()

        assert reason == "InconclusiveAnalysisRun"
        values = [run.value for run in records.present(AnalysisRecord) if run.value]
        value = float(values[-1].strip("[]"))
        assert 0.2 <= value < 0.99, f"measured {value}, which is not between good and bad"
        held = held_at(records, _GREY, 25).window
        share = assert_share(records, stream=ACTIVE, version=_GREY, weight=25, window=held)
        everything = assert_alone(records, stream=ACTIVE, version=_GREY)
    numbers(
        pause=f"{reason}, for as long as nobody decided",
        measured=f"{value:.2f}, between bad (0.2) and good (0.99)",
        share_while_paused=share,
        after_abort="back to the stable version",
        after_retry_and_promote=everything,
    )


@pytest.mark.scenario("an-9")
def test_an_inconclusive_background_analysis_does_not_hold_a_canary_whose_pauses_are_timed(
    trial: StartTrial, claim: EnterClaim
) -> None:
    # It begins when Prometheus has not found the canary's pods yet: no data is neither good nor bad.
    grey = template("grey", metric("grey", success_rate(OF_VERSION), _CONDITIONS, count=3))
    pause = f"{_PAUSE_SECONDS}s"
    steps = variants.canary_steps(25, pause, 50, pause, 75, pause)
    with trial("canary", variant=variants.combined(grey, background("grey", starting_step=1), steps)) as app:
        with app.traffic(100):
            app.deploy(_GREY)
            app.wait(weight_is(25), within=45)
            went_on = _goes_on(app, within=3 * _PAUSE_SECONDS)
            reason = _pause_reason(app)
            app.holds(weight_is(50 if went_on else 25), for_=_ENOUGH_SECONDS)
        records = app.records()

        assert reason == "InconclusiveAnalysisRun"
        undecided = [run.t for run in records.present(AnalysisRecord) if run.run_phase == "Inconclusive"]
        into = undecided[0] - entered(records, _GREY, 1)
        held = held_at(records, _GREY, 50 if went_on else 25)
        share = assert_share(
            records, stream=ACTIVE, version=_GREY, weight=held.weights[_GREY], window=held.window
        )
        evidence: dict[str, object] = {
            "inconclusive": f"{into:.1f} s into the pause of {_PAUSE_SECONDS} s at 25%",
            "share while nobody decided": share,
        }
        if went_on:
            paused = entered(records, _GREY, _PAUSE_AT_50 + 1) - entered(records, _GREY, _PAUSE_AT_50)
            evidence["pause at 50%"] = f"{paused:.2f} s of {_PAUSE_SECONDS}"
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


def _goes_on(app: Trial, *, within: float) -> bool:
    try:
        app.wait(weight_is(50), within=within)
    except ConditionNotMetError:
        return False
    return True
