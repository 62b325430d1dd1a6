"""A node that is taken out of service in the middle of a canary."""

from __future__ import annotations

from collections import Counter

import pytest

from e2e import variants
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.progress import Phases
from fixtures.environment.environment import Environment
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import Kube, Object, pods_of
from fixtures.kube.kinds import NODE
from fixtures.kube.nodes import drain, uncordon
from fixtures.trial.trial import ACTIVE

_DRAIN_SECONDS = 120
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@pytest.mark.several_nodes
def test_a_node_drained_during_a_canary_costs_no_client_an_error(
    environment: Environment, trial: StartTrial, numbers: Report
) -> None:
    kube = environment.kube
    node = _worker(kube)
    try:
        # So that only the app is on it when it counts: Prometheus would lose what it knows, and the gateway
        # the connections of clients.
        drain(kube, node, timeout=_DRAIN_SECONDS)
        environment.stack.ready(kube, Phases())
        uncordon(kube, node)
        with trial("canary", replicas=4, variant=_spread_and_quick) as app:
            with app.traffic():
                app.deploy("1.1")
                # Before, the canary is a single pod; whoever is sent to it gets 503 when that is evicted.
                app.wait(all_of(paused_at(5), weight_is(50)), within=90)
                before = _pods(kube, app.namespace)
                began = app.timeline.clock()
                drain(kube, node, timeout=_DRAIN_SECONDS)
                took = app.timeline.clock() - began
                app.wait(promoted("1.1"), within=180)
            after = _pods(kube, app.namespace)
            answered = assert_no_errors(app.records(), stream=ACTIVE)
    finally:
        uncordon(kube, node)
    assert {place for place, _ in before} >= {node}, f"nothing was on {node}: {before}"
    assert len(before) == 4, f"not each version was on each node, so this proved nothing: {before}"
    assert node not in {place for place, _ in after}, f"pods are on the drained node: {after}"
    moved = sum(count for (place, _), count in before.items() if place == node)
    numbers(
        pods_moved_by_the_drain=f"{moved} of {before.total()} in {took:.1f} s",
        failed_requests=f"0 of {answered:,}",
    )


def _worker(kube: Kube) -> str:
    nodes = [node["metadata"] for node in kube.list(NODE)[0]]
    if len(nodes) < 2:
        # The embedded node is one; on kind the mark `several_nodes` asks for more.
        pytest.skip("the cluster has one node")
    return next(str(each["name"]) for each in nodes if _CONTROL_PLANE not in each["labels"])


def _pods(kube: Kube, namespace: str) -> Counter[tuple[str, str]]:
    """How many pods there are by node and image, without those that are about to end."""
    pods = pods_of(kube, namespace, "app=payments")
    return Counter(
        (pod["spec"]["nodeName"], pod["spec"]["containers"][0]["image"])
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
    )


def _spread_and_quick(objects: list[Object]) -> None:
    """Each version on each node, as long as there is more than one; and a pause that outlasts the drain.

    Clients are what is judged here: the machine that runs all this may well be slow.
    """
    variants.with_short_pauses(objects)
    variants.judged_by("success-rate")(objects)
    steps = variants.strategy_of(objects)["steps"]
    steps[steps.index({"setWeight": 50}) + 1]["pause"]["duration"] = "20s"
    variants.spec_of(objects)["template"]["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "payments"}},
            "matchLabelKeys": ["rollouts-pod-template-hash"],
        }
    ]
