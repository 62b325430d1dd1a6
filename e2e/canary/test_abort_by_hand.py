"""An abort by hand returns every client to the stable version, from whichever step."""

from __future__ import annotations

import pytest

from e2e.routers.each import FURTHER_ROUTERS
from e2e.scaling import scaled_down, scaled_down_at
from e2e.types import Report, StartTrial
from e2e.variants import aborted_pods_stay, canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import lasting, reconciled
from fixtures.judge.convergence import assert_gone
from fixtures.judge.release.release import release_of
from fixtures.judge.verdicts import assert_no_errors
from fixtures.trial.trial import ACTIVE, Trial

# abortScaleDownDelaySeconds; what is lost of it, as its deadline is an annotation in whole seconds
# (addScaleDownDelay in rollout/replicaset.go); and what a busy controller may add to it.
_DELAY_SECONDS = 6
_ROUNDING_SECONDS = 1.0
_SLACK_SECONDS = 10.0
# At 5% of 100/s, some 30 responses, fewer by what the gateway takes to follow.
_SEEN_SECONDS = 6.0
# As long as it has pods, it may be sent requests: docs/findings.md.
_CONVERGENCE_SECONDS = _DELAY_SECONDS + 4.0
_WEIGHTS = (5, 25, 50, 75)


@pytest.mark.scenario("can-9")
@pytest.mark.parametrize("weight", _WEIGHTS)
def test_an_abort_returns_all_clients_and_scales_the_canary_down_after_its_delay(
    trial: StartTrial, numbers: Report, weight: int
) -> None:
    numbers(**_abort_at(weight, trial))


@pytest.mark.scenario("can-9")
@pytest.mark.parametrize("router", FURTHER_ROUTERS, indirect=True)
def test_an_abort_does_so_behind_each_router(trial: StartTrial, numbers: Report) -> None:
    numbers(**_abort_at(25, trial))


def _abort_at(weight: int, trial: StartTrial) -> dict[str, object]:
    """Abort at a weight; asserts what becomes of it, and returns the figures, by what each is."""
    steps = canary_steps(*(step for each in _WEIGHTS for step in (each, None)))
    with trial("canary", variant=combined(without_analysis, steps, aborted_pods_stay(_DELAY_SECONDS))) as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.1")
            _walk_to(app, weight)
            app.holds(weight_is(weight), for_=_SEEN_SECONDS)
            aborted_at = app.timeline.clock()
            app.abort()
            app.wait_contained("1.1", within=30)
            app.wait(scaled_down("1.1"), within=_DELAY_SECONDS + _SLACK_SECONDS)
            app.stays_contained("1.1")
        records = app.records()

        release = release_of(records, version="1.1", stream=ACTIVE)
        seen = release.milestones
        assert seen.withdrawn is not None
        assert release.served.k > 0, "it never answered, so nothing was taken back"
        gone = assert_gone(records, stream=ACTIVE, version="1.1", allow=_CONVERGENCE_SECONDS)
        answered = assert_no_errors(records, stream=ACTIVE)
        down = scaled_down_at(records, "1.1", aborted_at) - aborted_at
        slack = down - _DELAY_SECONDS
        assert -_ROUNDING_SECONDS <= slack <= _SLACK_SECONDS, f"scaled down after {down:.1f} s"
        assert app.stable_pods() == before, "the stable pods were touched"
    to_0, to_last = seen.withdrawn - aborted_at, (seen.last_response or aborted_at) - aborted_at
    converged = reconciled() + lasting("convergence", _CONVERGENCE_SECONDS)
    return {
        "abort_to_weight_0": reconciled().judged("from abort to weight 0", to_0),
        "abort_to_last_response": converged.judged("from abort to the last answer", to_last),
        "abort_to_scaled_down": f"{down:.1f} s (abortScaleDownDelaySeconds {_DELAY_SECONDS})",
        "after_convergence": gone,
        "failed_requests": f"0 of {answered:,}",
    }


def _walk_to(app: Trial, weight: int) -> None:
    """Promote each pause until the one at a weight."""
    for place, each in enumerate(_WEIGHTS):
        app.wait(all_of(paused_at(2 * place + 1), weight_is(each)), within=45)
        if each == weight:
            return
        app.promote()
