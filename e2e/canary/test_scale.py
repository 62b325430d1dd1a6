"""How many pods each version has at each step, and that no version gets more than they can carry."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from e2e import variants
from e2e.bounds import PODS
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of, not_
from fixtures.judge.bounds import reconciled
from fixtures.judge.capacity import excesses, pods_are, totals
from fixtures.judge.verdicts import Window, assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial

_RATE = 100.0
# 1,100 requests.
_ENOUGH_SECONDS = 11.0
_REPLICAS = 4


@pytest.mark.scenario("can-15")
def test_the_canary_is_scaled_apart_from_its_weight_and_beyond_max_surge(
    trial: StartTrial, numbers: Report
) -> None:
    steps = variants.canary_steps(
        {"setCanaryScale": {"replicas": 1}}, None,
        {"setCanaryScale": {"weight": 75}}, 10, None,
        {"setCanaryScale": {"matchTrafficWeight": True}}, None,
    )  # fmt: skip
    changed = variants.combined(variants.without_analysis, steps, _at_least_two_pods)
    with trial("canary", replicas=_REPLICAS, variant=changed) as app:
        with app.traffic(_RATE):
            since = app.timeline.clock()
            app.deploy("1.1")
            # Of the one pod that is 10% of 4, minPodsPerReplicaSet makes two; a number asked for stays.
            for step, pods, weight in ((1, 1, 0), (4, 3, 10), (6, 2, 10)):
                there = all_of(paused_at(step), pods_are({"1.0": 4, "1.1": pods}), weight_is(weight))
                app.wait(there, within=90)
                app.holds(there, for_=4)
                app.promote()
            app.wait(all_of(promoted("1.1"), pods_are({"1.1": 4})), within=90)
            app.holds(promoted("1.1"), for_=4)
        records = app.records()

        peak = max(total for total, _ in totals(records, since))
        assert peak == 2 * _REPLICAS, f"at most {peak} pods were asked for"
        assert excesses(records, replicas=_REPLICAS) == []
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        pods_at_its_peak=f"{peak} of {_REPLICAS} (maxSurge 1 is not used with a traffic router)",
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-15")
def test_a_dynamic_stable_is_never_left_with_more_weight_than_pods(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", replicas=_REPLICAS, variant=_with_a_dynamic_stable) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            _walk(app, {"1.0": 3, "1.1": 1}, {"1.0": 1, "1.1": 3})
            app.abort()
            returned = all_of(aborted(version="1.1"), weight_is(0), pods_are({"1.0": 4, "1.1": 0}))
            took = app.wait(returned, within=90)
            app.retry()
            _walk(app, {"1.0": 3, "1.1": 1}, {"1.0": 1, "1.1": 3})
            app.promote()
            alone = all_of(promoted("1.1"), pods_are({"1.0": 0, "1.1": 4}))
            app.wait(alone, within=90)
            # However quick the machine is, there are enough requests to judge by.
            app.holds(alone, for_=_ENOUGH_SECONDS)
        records = app.records()

        assert excesses(records, replicas=_REPLICAS) == []
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        abort_at_75_to_all_pods_stable=(PODS + reconciled()).judged("the abort at 75%", took),
        failed_requests=f"0 of {answered:,}, through an abort at 75% and a promotion",
    )


@pytest.mark.scenario("can-15")
@pytest.mark.parametrize(
    ("setting", "value", "pods"),
    [("minPodsPerReplicaSet", 2, 2), ("abortScaleDownDelaySeconds", 5, 3)],
    ids=["with-min-pods", "with-a-delay"],
)
def test_the_abort_of_a_dynamic_stable_stops_at_a_step_with_one_setting_more(
    trial: StartTrial, numbers: Report, setting: str, value: int, pods: int
) -> None:
    """https://github.com/argoproj/argo-rollouts/issues/4841 and 4898, in which pods wait for pods."""

    def change(objects: list[Object]) -> None:
        _with_a_dynamic_stable(objects)
        variants.strategy_of(objects)[setting] = value

    least = value if setting == "minPodsPerReplicaSet" else 1
    with trial("canary", replicas=_REPLICAS, variant=change) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            _walk(app, {"1.0": 3, "1.1": least}, {"1.0": least, "1.1": 3})
            app.abort()
            stuck = all_of(aborted(version="1.1"), pods_are({"1.0": 3, "1.1": pods}))
            app.wait(all_of(stuck, not_(weight_is(75))), within=90)
            since = app.timeline.clock() + CONVERGENCE_SECONDS
            app.holds(all_of(stuck, weight_is(25)), for_=CONVERGENCE_SECONDS + 14)
        stayed = assert_share(app.records(), stream=ACTIVE, version="1.1", weight=25, window=Window(since))
    numbers(**{f"share of the aborted version, {setting} {value}": stayed})


@pytest.mark.scenario("can-15")
@pytest.mark.parametrize(("surge", "unavailable", "at_40"), [(1, 0, 3), (0, 1, 2)], ids=["1-0", "0-1"])
def test_without_a_traffic_router_the_pods_stay_within_surge_and_unavailable(
    trial: StartTrial, numbers: Report, surge: int, unavailable: int, at_40: int
) -> None:
    """Of 4 pods, 1 is nearest to 30%; of 5, which a surge allows, 2 are 40%, and of 4 those are 50%."""

    def change(objects: list[Object]) -> None:
        variants.without_analysis(objects)
        variants.canary_steps(30, None, 40, None, 50, None)(objects)
        strategy = variants.strategy_of(objects)
        del strategy["trafficRouting"]
        strategy |= {"maxSurge": surge, "maxUnavailable": unavailable}

    with trial("canary", replicas=_REPLICAS, variant=change) as app:
        since = app.timeline.clock()
        app.deploy("1.1")
        for step, stable, canary in ((1, 3, 1), (3, at_40, 2), (5, 2, 2)):
            app.wait(all_of(paused_at(step), pods_are({"1.0": stable, "1.1": canary})), within=90)
            app.promote()
        app.wait(all_of(promoted("1.1"), pods_are({"1.0": 0, "1.1": 4})), within=90)
        seen = list(totals(app.records(), since))
        most, fewest = max(pods for pods, _ in seen), min(available for _, available in seen)
        assert most <= _REPLICAS + surge, f"{most} pods were asked for"
        assert fewest >= _REPLICAS - unavailable, f"only {fewest} pods were available"
    numbers(**{f"pods with maxSurge {surge} and maxUnavailable {unavailable}": f"{fewest} to {most}"})


def _at_least_two_pods(objects: list[Object]) -> None:
    variants.strategy_of(objects)["minPodsPerReplicaSet"] = 2


def _with_a_dynamic_stable(objects: list[Object]) -> None:
    variants.without_analysis(objects)
    variants.canary_steps(25, None, 75, None)(objects)
    strategy = variants.strategy_of(objects)
    strategy["dynamicStableScale"] = True
    del strategy["abortScaleDownDelaySeconds"]


def _walk(app: Trial, at_25: Mapping[str, int], at_75: Mapping[str, int]) -> None:
    """To the pause at 25% and on to that at 75%, with so many pods of each version."""
    app.wait(all_of(paused_at(1), weight_is(25), pods_are(at_25)), within=90)
    app.holds(all_of(paused_at(1), pods_are(at_25)), for_=2)
    app.promote()
    app.wait(all_of(paused_at(3), weight_is(75), pods_are(at_75)), within=90)
    app.holds(all_of(paused_at(3), pods_are(at_75)), for_=2)
