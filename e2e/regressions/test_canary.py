"""Bugs of canaries that were reported upstream, and whether they happen here.

The id of each scenario is the issue's number: https://github.com/argoproj/argo-rollouts/issues.
"""

from __future__ import annotations

import pytest

from e2e.types import EnterClaim, StartTrial
from e2e.variants import aborted_pods_stay, canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.release.release import Release, release_of
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial.trial import ACTIVE, Trial

_DELAY_SECONDS = 6
# A gateway that is told at once is quicker.
_AT_ONCE_SECONDS = 0.5
# Often istiod has its moment of quiet right after the weights were written: in one of ten aborts on an idle
# machine, in twelve of twenty on a busy one, where the controller switches more slowly.
_MOST_ABORTS = 10
_VARIANT = combined(without_analysis, canary_steps(25, None), aborted_pods_stay(_DELAY_SECONDS))


@pytest.mark.scenario("3078")
def test_an_aborted_canary_is_sent_requests_while_its_pods_stay(trial: StartTrial, claim: EnterClaim) -> None:
    """Open: the canary Service is switched to and fro, and istiod holds weights back until there is quiet."""
    seen: list[Release] = []
    is_decided = False
    while not is_decided:
        with trial("canary", variant=_VARIANT) as app:
            seen.append(_abort(app))
            is_decided = len(seen) == _MOST_ABORTS or not _at_once(seen[-1])
            if is_decided:
                claim(
                    "Clients are off an aborted canary as soon as the VirtualService gives it nothing",
                    expected=DOES_NOT_HOLD,
                    found=HOLDS if all(map(_at_once, seen)) else DOES_NOT_HOLD,
                    evidence={
                        f"last response (abortScaleDownDelaySeconds {_DELAY_SECONDS})": "; ".join(
                            f"{each.lingering:.2f} s later, {each.after_withdrawal} to requests sent later"
                            for each in seen
                        )
                    },
                )


def _abort(app: Trial) -> Release:
    with app.traffic(100):
        app.deploy("1.1")
        app.wait(all_of(paused_at(1), weight_is(25)), within=45)
        app.holds(weight_is(25), for_=3)
        app.abort()
        app.wait_contained("1.1", within=30)
        app.stays_contained("1.1", for_=_DELAY_SECONDS + 3)
    return release_of(app.records(), version="1.1", stream=ACTIVE)


def _at_once(release: Release) -> bool:
    assert release.lingering is not None, "the canary never answered, or was not withdrawn"
    return release.lingering <= _AT_ONCE_SECONDS
