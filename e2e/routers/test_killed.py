"""The router's only pod is killed amid a canary: clients lose requests, and the canary goes on."""

from __future__ import annotations

import pytest

from e2e.routers.each import EACH_ROUTER, GATEWAYS
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.verdicts import Window, assert_no_errors, assert_share, requests
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

_RATE = 60.0
_WEIGHT = 25
_AT_ONCE_S = 1.0


@pytest.mark.scenario("router-1")
@pytest.mark.parametrize("router", EACH_ROUTER, indirect=True)
def test_a_router_whose_pod_is_killed_loses_requests_and_no_weight(
    trial: StartTrial, numbers: Report, router: str
) -> None:
    there = all_of(paused_at(1), weight_is(_WEIGHT))
    with trial("canary", variant=combined(without_analysis, canary_steps(_WEIGHT, None))) as app:
        with app.traffic(_RATE):
            began = app.timeline.clock()
            app.deploy("1.1")
            app.wait(there, within=60)
            app.holds(there, for_=CONVERGENCE_SECONDS)
            killed = app.timeline.clock()
            with app.faults.kill(GATEWAYS[router]):
                pass
            back = app.timeline.clock()
            app.stays(there, weights={"1.0": 100 - _WEIGHT, "1.1": _WEIGHT})
        records = app.records()

        quiet = Window(began, killed - _AT_ONCE_S)
        before = assert_no_errors(records, stream=ACTIVE, window=quiet, at_least=100)
        sent = requests(records, ACTIVE)
        lost = [each for each in sent if each.failed]
        assert lost, "no request was lost, so the router was not killed"
        settled = Window(back + CONVERGENCE_SECONDS)
        after = assert_no_errors(records, stream=ACTIVE, window=settled, at_least=100)
        share = assert_share(
            records, stream=ACTIVE, version="1.1", weight=_WEIGHT, window=settled, at_least=500
        )
    kept = sum(each.reused for each in lost)
    numbers(
        lost=f"{len(lost):,} of {len(sent):,}, of which {kept} on kept connections",
        first_to_last_lost=f"{lost[-1].t - lost[0].t:.2f} s",
        failed_before_and_after=f"0 of {before:,} and 0 of {after:,}",
        share_after=share,
    )
