"""A fault that only appears under load: a few percent of the traffic do not show it, but a load test does."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.variants import step
from e2e.canary import gates
from e2e.types import EnterClaim, StartTrial
from fixtures.conditions.conditions import aborted, analysis_failed, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import ENOUGH, assert_no_errors, assert_share, requests
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial.trial import ACTIVE
from loadgen.statistics import Share, exactly_zero

# Each of two pods gets half of it when all clients are theirs, which is more than the 40/s that it bears.
_RATE = 110.0
# Three times as much as a pod bears, on a single one, so that a busy machine can send it as well.
_TEST_RATE = 120.0


@pytest.mark.scenario("can-19")
def test_a_fault_under_load_is_missed_at_5_percent(trial: StartTrial, claim: EnterClaim) -> None:
    variant = variants.combined(variants.judged_by("success-rate"), variants.canary_steps(5, None))
    with trial("canary", variant=variant) as app:
        with app.traffic(_RATE):
            app.deploy("1.2-overload")
            at_5 = all_of(paused_at(1), weight_is(5))
            app.wait(at_5, within=45)
            app.stays(at_5, weights={"1.0": 95, "1.2-overload": 5})
            app.promote()
            app.wait(promoted("1.2-overload"), within=60)
            app.stays_promoted("1.2-overload")
        records = app.records()

        few, everything = windows(records, stream=ACTIVE)
        share = assert_share(records, stream=ACTIVE, version="1.2-overload", weight=5, window=few.window)
        assert_no_errors(records, stream=ACTIVE, window=few.window)
        sent = requests(records, ACTIVE, everything.window)
        failed = Share(sum(request.failed for request in sent), len(sent))
        claim(
            "A canary at 5% with an analysis of its success rate finds a fault before all clients have it",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if failed.value > 0.05 else HOLDS,
            evidence={
                "fault": "500 beyond 40 requests/s per pod",
                "share at 5%": f"{share}, none failed",
                "failed once promoted": failed,
            },
        )


@pytest.mark.scenario("can-19")
def test_a_fault_under_load_is_found_by_a_load_test_before_any_client_has_it(
    trial: StartTrial, claim: EnterClaim
) -> None:
    steps = variants.canary_steps({"setCanaryScale": {"replicas": 1}}, step("load-test"), 5, None)
    load_test = gates.load_test(rate=_TEST_RATE, seconds=4)
    with trial("canary", variant=variants.combined(load_test, steps, variants.without_analysis)) as app:
        with app.traffic(_RATE):
            app.deploy("1.2-overload")
            app.wait(analysis_failed(), within=90)
            app.wait(aborted(version="1.2-overload"), within=30)
            app.deploy("1.1")
            app.wait(all_of(paused_at(3), weight_is(5)), within=90)
        records = app.records()

        sent = requests(records, ACTIVE)
        assert len(sent) >= ENOUGH, f"only {len(sent):,} requests"
        reached = exactly_zero(sum(request.version == "1.2-overload" for request in sent), len(sent))
        failed = exactly_zero(sum(request.failed for request in sent), len(sent))
        claim(
            "A load test as a step before the first weight finds a fault that only load shows",
            expected=HOLDS,
            found=HOLDS if reached and failed else DOES_NOT_HOLD,
            evidence={
                "load": f"{_TEST_RATE:g} requests/s for 4 s on one pod",
                "responses of the bad version to clients": reached,
                "failed requests of clients": failed,
                "a good version": "passes the same load test",
            },
        )
