"""Tests the harness: with a planted fault, the right scenario fails and names the cause."""

from __future__ import annotations

import os
import signal

import pytest

from e2e import variants
from e2e.mutations import in_cluster, in_manifests
from e2e.types import StartTrial
from fixtures.addons.istio import ISTIOD
from fixtures.conditions.conditions import (
    aborted,
    degraded,
    deployment_available,
    healthy,
    paused_at,
    preview_ready,
    weight_is,
)
from fixtures.conditions.expectation import Assessment, Condition, all_of, met, pending, unknown
from fixtures.core.errors import ConditionNotMetError
from fixtures.core.retry import PendingError, until
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import ALWAYS, assert_exactly_none, assert_share, requests
from fixtures.kube.client import Object
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.records import PodRecord
from fixtures.timeline.state import State
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, PREVIEW, Trial
from loadgen.report import InvalidLoadError

_UNJUDGED = variants.combined(variants.without_analysis, variants.with_short_pauses)


def test_without_analysis_the_bad_version_is_promoted_and_the_scenario_says_so(trial: StartTrial) -> None:
    with trial("canary", variant=_UNJUDGED) as app, app.traffic():
        app.deploy("1.2-5xx")
        with pytest.raises(ConditionNotMetError, match=r"1\.2-5xx is fully promoted and Healthy"):
            app.wait(aborted(version="1.2-5xx"), within=120)


def test_without_an_abort_at_the_deadline_the_crashing_canary_is_named(trial: StartTrial) -> None:
    with trial("canary") as app, app.traffic():
        in_cluster.tolerate_missed_deadlines(app.kube, app.namespace)
        app.deploy("1.2-crash")
        app.wait(all_of(degraded(), _restarted("1.2-crash")), within=90)
        # Now and then it runs for a moment, so that CrashLoopBackOff is not always there to be named.
        named = r"1\.2-crash of payments aborted(.|\n)*pod payments-.* \(1\.2-crash\): .*[1-9] restarts"
        with pytest.raises(ConditionNotMetError, match=named):
            app.wait(aborted(version="1.2-crash"), within=1)


def test_a_deployment_that_does_not_get_there_is_named_with_its_pods(trial: StartTrial) -> None:
    with trial("deployment") as app:
        in_cluster.hold_back(app.kube, app.namespace)
        app.deploy("1.2-5xx")
        with pytest.raises(ConditionNotMetError, match=r"not within 10 s(.|\n)*payments-.*\(1\.2-5xx\)"):
            app.wait(deployment_available("1.2-5xx"), within=10)


def test_with_a_frozen_virtual_service_the_weight_that_stays_is_named(trial: StartTrial) -> None:
    with trial("canary", variant=_judged_at_the_last_step) as app, app.traffic():
        app.deploy("1.2-5xx")
        app.wait(all_of(paused_at(1), weight_is(5)), within=60)
        in_cluster.freeze_virtual_services(app.kube, app.namespace)
        app.promote()
        app.wait(aborted(version="1.2-5xx"), within=45)
        with pytest.raises(ConditionNotMetError, match="payments-canary has weight 5"):
            app.wait(weight_is(0), within=5)


@pytest.mark.violates("withdrawn", "shares", reason="nobody tells the gateway of the weights")
def test_with_istiod_stopped_the_responses_after_the_abort_are_counted(trial: StartTrial) -> None:
    with trial("canary", variant=_judged_at_the_last_step) as app:
        kube = app.kube
        try:
            with app.traffic():
                app.deploy("1.2-5xx")
                app.wait(all_of(paused_at(1), weight_is(5)), within=60)
                until(lambda: _answered(app, "1.2-5xx"), what="an answer", timeout=60, interval=0.5)
                in_cluster.stop_istiod(kube)
                app.promote()
                app.wait(aborted(version="1.2-5xx"), within=45)
                app.wait(weight_is(0), within=30)
                app.holds(weight_is(0), for_=20)
            strays = r"1\.2-5xx answered [1-9][0-9]* of .*by pods payments-"
            with pytest.raises(ConditionNotMetError, match=strays):
                assert_gone(app.records(), stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
        finally:
            ISTIOD.install(kube, app.environment.stack.settings)
            ISTIOD.ready(kube)


@pytest.mark.smoke
def test_when_the_load_stops_it_is_the_load_that_is_blamed(trial: StartTrial) -> None:
    with trial("canary") as app:
        blamed = pytest.raises(InvalidLoadError, match="the load's fault, never the product's")
        with blamed, app.traffic() as traffic:
            assert traffic.pid is not None
            os.kill(traffic.pid, signal.SIGKILL)
            app.holds(healthy(), for_=3)


@pytest.mark.smoke
@pytest.mark.violates(
    "endpoints", reason="the active route leads to the preview Service, whose pods are not ready at first"
)
def test_a_leak_from_preview_to_active_clients_is_counted(trial: StartTrial) -> None:
    with trial("bluegreen", variant=in_manifests.active_routes_to_preview) as app:
        with app.traffic():
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=60)
            app.holds(preview_ready("1.1"), for_=6)
        with pytest.raises(ConditionNotMetError, match=r"stream active.*1\.1 answered [1-9]"):
            assert_exactly_none(app.records(), stream=ACTIVE, version="1.1")


def test_a_preview_that_shows_the_active_version_is_found(trial: StartTrial) -> None:
    with trial("bluegreen", variant=in_manifests.preview_selects_active) as app:
        with app.traffic(rate=100, preview_rate=200):
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=60)
            app.holds(preview_ready("1.1"), for_=6)
        with pytest.raises(ConditionNotMetError, match=r"1\.1 has weight 100% and got 0"):
            assert_share(app.records(), stream=PREVIEW, version="1.1", weight=100, window=ALWAYS)


def test_a_failed_trial_leaves_a_bundle_that_explains_itself(trial: StartTrial) -> None:
    started = trial("canary", variant=variants.with_short_pauses)
    with pytest.raises(ConditionNotMetError, match="weight 100 on payments-canary"), started as app:
        app.wait(weight_is(100), within=1)
    bundle = started.folder / "failure"
    names = {path.name for path in bundle.iterdir()}
    assert not (bundle / "incomplete.txt").exists(), (bundle / "incomplete.txt").read_text()
    assert {"error.txt", "rollouts.yaml", "pods.yaml", "virtualservices.yaml", "events.yaml"} <= names
    assert {"promql.json", "envoy-config_dump.txt", "envoy-clusters.txt"} <= names
    assert {"argo-rollouts", "istiod", "prometheus", "node"} <= names
    assert "weight 100 on payments-canary" in (bundle / "error.txt").read_text()
    assert "payments" in (bundle / "envoy-clusters.txt").read_text()


def _judged_at_the_last_step(objects: list[Object]) -> None:
    """The canary waits at its weight, and is judged once somebody promotes it: time to break something."""
    variants.canary_steps(5, None, 5, None)(objects)
    # An abort leaves it its pods for as long as anybody looks.
    variants.aborted_pods_stay(60)(objects)
    variants.strategy_of(objects)["analysis"]["startingStep"] = 3


def _restarted(version: str) -> Condition:
    """A pod of a version, by image tag, has ended and was started again."""

    def check(state: State) -> Assessment:
        if not state.has_had(version):
            return unknown(f"no ReplicaSet of {version} was ever seen")
        restarts = [pod.restarts for pod in state.all(PodRecord) if tag_of(pod.image) == version]
        return (met if any(restarts) else pending)(f"restarts of {version}: {restarts}")

    return Condition(f"{version} restarted", check)


def _answered(app: Trial, version: str) -> None:
    if all(request.version != version for request in requests(app.records(), ACTIVE)):
        raise PendingError(f"no answer of {version}")
