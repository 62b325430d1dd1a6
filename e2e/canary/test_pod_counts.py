"""The share of requests follows the weight with a traffic router, and the number of pods without one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2e import variants
from e2e.baseline.pods import ready_shares
from e2e.types import EnterClaim, Report, StartTrial, Variant
from e2e.variants import canary_steps, without_analysis
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import ENOUGH, Window, assert_no_errors, assert_share, requests, shares
from fixtures.kube.client import Object
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import Share

# 1,600 requests, or 1,100 once the gateway has followed.
_WINDOW_SECONDS = 16


@dataclass(frozen=True)
class Seen:
    """What clients saw of a canary at 5%: its share, and how many pods of each version answered."""

    share: Share
    canary: int
    stable: int

    def __str__(self) -> str:
        by_pods = 100 * self.canary / (self.canary + self.stable)
        return f"{self.share}; by pods it would be {by_pods:.1f}%"


@pytest.mark.scenario("can-5")
def test_the_weight_is_what_clients_get_whatever_the_number_of_pods(
    trial: StartTrial, claim: EnterClaim
) -> None:
    with trial("canary", replicas=20, variant=_paused(5)) as app:
        one_of_20 = _at_5_percent(app)
        assert (one_of_20.canary, one_of_20.stable) == (1, 20)
    with trial("canary", replicas=10, variant=_paused({"setCanaryScale": {"replicas": 5}}, 5)) as app:
        five_of_10 = _at_5_percent(app)
        assert (five_of_10.canary, five_of_10.stable) == (5, 10)
        both = one_of_20.share.contains(0.05) and five_of_10.share.contains(0.05)
        claim(
            "Istio routes exactly 5% regardless of pod count",
            expected=HOLDS,
            found=HOLDS if both else DOES_NOT_HOLD,
            evidence={
                "1 canary pod beside 20": one_of_20,
                "5 canary pods beside 10": five_of_10,
            },
        )


@pytest.mark.scenario("can-6")
def test_without_a_traffic_router_the_share_follows_the_pods_and_5_percent_cannot_be_had(
    trial: StartTrial, numbers: Report
) -> None:
    steps = canary_steps(5, f"{_WINDOW_SECONDS}s", 50, f"{_WINDOW_SECONDS}s")
    with trial(
        "canary", replicas=4, variant=variants.combined(_by_pods_alone, without_analysis, steps)
    ) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=150)
        records = app.records()

        stages = [stage for stage in ready_shares(records, "1.1") if 0 < stage.share < 1]
        paused = [stage for stage in stages if stage.window.end - stage.window.start > _WINDOW_SECONDS / 2]
        assert len(paused) == 2, f"two pauses, and these stages: {stages}"
        seen = [
            assert_share(records, stream=ACTIVE, version="1.1", weight=100 * stage.share, window=stage.window)
            for stage in paused
        ]
        assert not seen[0].contains(0.05), f"asked for 5% and got it: {seen[0]}"
        assert seen[0].value > 0.05
        answered = assert_no_errors(records, stream=ACTIVE)
    for weight, stage, share in zip((5, 50), paused, seen, strict=True):
        numbers(**{f"asked for {weight}%, got {stage.new} of {stage.total} ready pods": share})
    numbers(failed_requests=f"0 of {answered:,}")


def _paused(*steps: int | Object) -> Variant:
    """A canary that goes through some steps and then waits to be promoted."""
    return variants.combined(without_analysis, _patient, canary_steps(*steps, None))


def _at_5_percent(app: Trial) -> Seen:
    with app.traffic(100):
        app.deploy("1.1")
        there = all_of(paused_at(), weight_is(5))
        app.wait(there, within=120)
        app.stays(there, weights={"1.0": 95, "1.1": 5})
    records = app.records()
    (settled,) = [each for each in windows(records, stream=ACTIVE) if each.weights.get("1.1") == 5]
    assert_no_errors(records, stream=ACTIVE)
    share = shares(records, ACTIVE, settled.window)["1.1"]
    assert share.n >= ENOUGH, f"too few for a verdict: {share}"
    return Seen(share, *(_pods(records, tag, settled.window) for tag in ("1.1", "1.0")))


def _pods(records: Recording, version: str, window: Window) -> int:
    """How many pods of a version answered."""
    return len({r.pod for r in requests(records, ACTIVE, window) if r.version == version})


def _patient(objects: list[Object]) -> None:
    """Twenty pods that start at once on a busy machine may all take longer than the base allows for one."""
    variants.spec_of(objects)["progressDeadlineSeconds"] = 120


def _by_pods_alone(objects: list[Object]) -> None:
    """One Service before all pods, and no route that the controller could set a weight in."""
    strategy = variants.strategy_of(objects)
    for field in ("trafficRouting", "stableService", "canaryService", "abortScaleDownDelaySeconds"):
        del strategy[field]
    objects.remove(variants.manifest_of(objects, "Service", "payments-canary"))
    variants.manifest_of(objects, "Service", "payments-stable")["metadata"]["name"] = "payments"
    (route,) = variants.manifest_of(objects, "VirtualService")["spec"]["http"]
    route["route"] = [{"destination": {"host": "payments", "port": {"number": 80}}}]
