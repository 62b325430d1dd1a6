"""What people say of NGINX' weights: that they are exact, and that they apply at once."""

from __future__ import annotations

import pytest

from e2e.types import EnterClaim, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import ENOUGH, assert_no_errors, shares
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

_RATE = 70.0
_WEIGHTS = (5, 50)
# The 1,000 requests of a verdict, some of them late.
_SEEN_SECONDS = 1000 / _RATE + 4
# More than a request takes, and less than each of 30 steps to 5% that docs/routers.md has.
_AT_ONCE_SECONDS = 0.25


@pytest.mark.router("nginx")
@pytest.mark.scenario("router-3")
def test_weights_of_nginx_are_exact_and_apply_seconds_later(trial: StartTrial, claim: EnterClaim) -> None:
    steps = canary_steps(*(step for weight in _WEIGHTS for step in (weight, None)))
    with trial("canary", router="nginx", variant=combined(without_analysis, steps)) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            for place, weight in enumerate(_WEIGHTS):
                there = all_of(paused_at(2 * place + 1), weight_is(weight))
                app.wait(there, within=60)
                app.holds(there, for_=CONVERGENCE_SECONDS + _SEEN_SECONDS)
                if weight != _WEIGHTS[-1]:
                    app.promote()
        records = app.records()

        assert_no_errors(records, stream=ACTIVE)
        settled = {each.weights.get("1.1", 0): each for each in windows(records, stream=ACTIVE)}
        seen = {weight: shares(records, ACTIVE, settled[weight].window)["1.1"] for weight in _WEIGHTS}
        assert all(each.n >= ENOUGH for each in seen.values()), f"too few requests: {seen}"
        took = {weight: settled[weight].convergence for weight in _WEIGHTS}
        assert None not in took.values(), f"no client got the canary: {took}"
        is_exact = all(each.contains(weight / 100) for weight, each in seen.items())
        is_at_once = all((each or 0) <= _AT_ONCE_SECONDS for each in took.values())
        claim(
            "NGINX splits exactly",
            expected=HOLDS,
            found=HOLDS if is_exact else DOES_NOT_HOLD,
            evidence={f"share at {weight}%": share for weight, share in seen.items()},
        )
        claim(
            "Weights apply at once behind NGINX",
            expected=DOES_NOT_HOLD,
            found=HOLDS if is_at_once else DOES_NOT_HOLD,
            evidence={
                f"{weight}% applied": f"{each or 0:.2f} s after it was written"
                for weight, each in took.items()
            },
        )
