"""Each fault does what it says, and is over when it says so."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from e2e import variants
from e2e.types import Report, StartTrial
from fixtures.addons import rollouts
from fixtures.conditions.conditions import observed, paused_at, scaled_to, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.conditions.readiness import pod_counts
from fixtures.core import loopback
from fixtures.core.errors import FiredampError
from fixtures.faults.faults import Fault
from fixtures.judge.invariants.declared import Faults
from fixtures.kube.client import pods_of
from fixtures.kube.errors import KubeError
from fixtures.kube.kinds import POD, ROLLOUT, VIRTUAL_SERVICE
from fixtures.providers.native.provider import NativeCluster
from fixtures.trial.trial import Trial

pytestmark = [pytest.mark.usefixtures("embedded_node"), pytest.mark.scenario("fault-3")]

_VARIANT = variants.combined(variants.without_analysis, variants.canary_steps(20, None, 60, None))
_IN_TIME, _WHILE = 60.0, 3.0
# The leader renews its lease each 2 s, and gives up 10 s after it could for the last time.
_LEASE_SECONDS = 14.0
# For some 1,000 requests, of which 20% and 60% are far from each other.
_COUNTED_SECONDS = 5.0
_FOLLOWED_SECONDS = 3.0


def test_a_controller_does_nothing_in_a_fault_and_goes_on_afterwards(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_VARIANT) as app:
        for fault in (
            lambda: app.faults.freeze("argo-rollouts", 60),
            lambda: app.faults.partition("argo-rollouts"),
            lambda: app.faults.away("argo-rollouts"),
            lambda: app.faults.kill("argo-rollouts"),
        ):
            numbers(**_held_up(app, fault))
        restarts = _restarts(app)
        with app.faults.lose_lease():
            time.sleep(_LEASE_SECONDS)
            assert _restarts(app) > restarts, "the leader did not notice that somebody else leads"
        app.wait(observed(generation=_touched(app)), within=_IN_TIME)
        with app.faults.replicas("argo-rollouts", 2):
            assert len(pods_of(app.kube, rollouts.NAMESPACE, "")) == 2
        assert len(pods_of(app.kube, rollouts.NAMESPACE, "")) == 1


def test_weights_and_pods_are_what_a_fault_makes_of_them_and_then_the_controllers(trial: StartTrial) -> None:
    with trial("canary", variant=_VARIANT) as app:
        first, second = sorted(_pods(app))
        with app.faults.unready(first):
            app.holds(pod_counts(first, is_ready=False), for_=_WHILE)
        app.wait(pod_counts(first, is_ready=True), within=_IN_TIME)
        with app.faults.evict(second):
            pass
        assert second not in _pods(app)
        with app.faults.autoscale(3):
            app.wait(scaled_to(3, "1.0"), within=_IN_TIME)
        app.wait(scaled_to(2, "1.0"), within=_IN_TIME)
        with app.faults.api_server.refuse(VIRTUAL_SERVICE):
            app.deploy("1.1")
            assert not app.sees(weight_is(20), within=8)
        app.wait(all_of(paused_at(1), weight_is(20)), within=_IN_TIME)
        with app.faults.api_server.refuse(VIRTUAL_SERVICE, status=409):
            app.promote()
            assert not app.sees(weight_is(60), within=8)
        app.wait(all_of(paused_at(3), weight_is(60)), within=_IN_TIME)
        with app.faults.api_server.delay_watch(4):
            # What the controller is told late it does late.
            began = app.timeline.clock()
            app.wait(observed(generation=_touched(app)), within=_IN_TIME)
            assert app.timeline.clock() - began > 3.5
        with app.faults.rival_writer(40, every=0.1):
            app.wait(weight_is(40), within=_IN_TIME)
        app.wait(weight_is(60), within=_IN_TIME)


def test_a_gateway_that_is_cut_off_keeps_the_weights_from_before(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_VARIANT) as app, app.traffic(150):
        app.deploy("1.1")
        app.wait(all_of(paused_at(1), weight_is(20)), within=_IN_TIME)
        time.sleep(_FOLLOWED_SECONDS)
        with app.faults.partition("istiod", "istio-ingressgateway"):
            app.promote()
            app.wait(weight_is(60), within=_IN_TIME)
            time.sleep(_FOLLOWED_SECONDS)
            cut_off = _share(app)
        time.sleep(_FOLLOWED_SECONDS)
        followed = _share(app)
        numbers(**{"share at 60% while the gateway is cut off": f"{cut_off:.0%}, after that {followed:.0%}"})
        assert cut_off < 0.35
        assert followed > 0.45


def test_the_programs_of_a_node_are_there_again_and_prometheus_answers_as_it_should(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_VARIANT) as app:
        node = app.environment.cluster
        assert isinstance(node, NativeCluster)
        for program in ("etcd", "kubelet"):
            before = node.pid_of(program)
            with app.faults.kill(program):
                pass
            assert node.pid_of(program) != before
        with app.faults.api_server.restart(), pytest.raises(KubeError):
            app.kube.list(POD, app.namespace)
        app.kube.list(POD, app.namespace)
        began = time.monotonic()
        with app.faults.api_server.freeze(3):
            app.kube.list(POD, app.namespace)
        assert time.monotonic() - began > 2.5
        for component in ("istiod", "istio-ingressgateway"):
            with app.faults.kill(component):
                pass
        with app.faults.prometheus.slow(2):
            began = time.monotonic()
            slow = [_series(app) for _ in range(3)]
            assert (time.monotonic() - began) / 3 > 1, slow
        with app.faults.prometheus.empty():
            assert _series(app) == 0
        with app.faults.prometheus.away(), pytest.raises(requests.RequestException):
            _series(app)
        declared = Faults(app.records()).declared
    numbers(**{f"{each}": f"{each.end - each.start:.1f} s" for each in declared})


def test_an_only_node_is_not_drained(trial: StartTrial) -> None:
    with trial("canary", variant=_VARIANT) as app:
        with pytest.raises(FiredampError, match="the only one"):
            app.faults.drain(app.environment.cluster.name)
        assert not Faults(app.records()).declared


def _held_up(app: Trial, fault: Callable[[], Fault]) -> dict[str, str]:
    """See that a change is not observed while a fault is there, and how long after it that takes."""
    with fault() as made:
        generation = _touched(app)
        assert not app.sees(observed(generation=generation), within=_WHILE), f"{made}: it was observed"
    took = app.wait(observed(generation=generation), within=_IN_TIME)
    return {str(made): f"observed {took:.1f} s after it was over"}


def _touched(app: Trial) -> int:
    """Change something in the Rollout's spec that makes no revision; return its generation."""
    live = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert live
    limit = int(live["spec"].get("revisionHistoryLimit", 10)) + 1
    spec = {"spec": {"revisionHistoryLimit": limit}}
    return int(app.kube.patch(ROLLOUT, app.name, app.namespace, spec)["metadata"]["generation"])


def _restarts(app: Trial) -> int:
    statuses = [
        status
        for pod in pods_of(app.kube, rollouts.NAMESPACE, "")
        for status in pod["status"]["containerStatuses"]
    ]
    return sum(int(each["restartCount"]) for each in statuses)


def _pods(app: Trial) -> set[str]:
    pods = pods_of(app.kube, app.namespace, "")
    return {each["metadata"]["name"] for each in pods if "deletionTimestamp" not in each["metadata"]}


def _share(app: Trial) -> float:
    """The share of the new version among the requests of the next seconds."""
    began = app.timeline.clock()
    time.sleep(_COUNTED_SECONDS)
    answered = app.records().requests.between(began).answered
    assert len(answered) > 300
    return len(answered.of_version("1.1")) / len(answered)


def _series(app: Trial) -> int:
    """How many series Prometheus has of what it scrapes."""
    url = f"{app.environment.prometheus_url}/api/v1/query"
    answer = loopback.get(f"{url}?query=up", timeout=20)
    return len(answer.json()["data"]["result"])
