"""Compares what the Rollouts panel shows with the cluster and with what clients got."""

from __future__ import annotations

import pytest

from e2e.gitops.variants import canary_steps, judged_by
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import at_step, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.retry import PendingError, until
from fixtures.gitops.panel import Panel
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_share
from fixtures.kube.client import Object, pods_of
from fixtures.kube.kinds import ANALYSIS_RUN, REPLICA_SET, ROLLOUT, VIRTUAL_SERVICE
from fixtures.timeline.extraction import HASH_LABEL, REVISION_ANNOTATION
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import ACTIVE

# Enough for 1,000 requests after the data plane has followed.
_LOOK_SECONDS = 12.0
# Argo CD shows what its controller has cached last.
_LAG_SECONDS = 30.0
_STEPS = canary_steps(5, None, 50, None)


@pytest.mark.scenario("git-7")
def test_the_panel_shows_what_is_so_at_each_pause_and_at_the_end(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary", patches=[_STEPS, judged_by("success-rate")]) as app:
        shown: dict[float, tuple[Panel, float]] = {}
        with app.traffic():
            app.deploy("1.1")
            for step, percent in ((1, 5), (3, 50)):
                app.wait(all_of(paused_at(step), weight_is(percent)), within=60)
                shown[percent] = _agreed(app)
                app.holds(weight_is(percent), for_=_LOOK_SECONDS)
                app.promote()
            app.wait(promoted("1.1"), within=60)
            shown[100] = _agreed(app)
            app.holds(promoted("1.1"), for_=_LOOK_SECONDS)
            app.deploy("1.2-neverready")
            app.wait(all_of(at_step(0), weight_is(0)), within=60)
            began = app.timeline.clock()
            app.holds(all_of(at_step(0), weight_is(0)), for_=_LOOK_SECONDS)
            early = app.application.panel()
        records = app.records()

        for settled in windows(records, stream=ACTIVE):
            weight = settled.weights["1.1"]
            panel, lag = shown[weight]
            assert panel.actual_weight == weight
            share = assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window)
            said = f"step {panel.step}, set {panel.set_weight}%, actual {panel.actual_weight}%"
            numbers(
                **{f"panel at {weight}%": f"{said}; clients {share}; {1000 * lag:.0f} ms behind the cluster"}
            )
        # The panel computes its weights from the steps, whatever has become of them.
        assert early.actual_weight == 5
        none = assert_exactly_none(records, stream=ACTIVE, version="1.2-neverready", window=Window(began))
    numbers(panel_without_a_ready_canary=f"actual {early.actual_weight}%; VirtualService 0%; clients {none}")


def _agreed(app: GitOpsTrial) -> tuple[Panel, float]:
    """The panel once it agrees with the cluster, and how many seconds that took."""

    def look() -> Panel:
        panel = app.application.panel()
        for what, (shown, real) in _compared(app, panel).items():
            if shown != real:
                raise PendingError(f"{what}: the panel shows {shown}, the cluster has {real}")
        return panel

    began = app.timeline.clock()
    panel = until(look, what="the panel agrees with the cluster", timeout=_LAG_SECONDS)
    return panel, app.timeline.clock() - began


def _compared(app: GitOpsTrial, panel: Panel) -> dict[str, tuple[object, object]]:
    """What the panel shows beside what is so in the cluster, by subject."""
    rollout = app.kube.get(ROLLOUT, "payments", app.namespace)
    route = app.kube.get(VIRTUAL_SERVICE, "payments", app.namespace)
    assert rollout is not None
    assert route is not None
    status, steps = rollout["status"], rollout["spec"]["strategy"]["canary"]["steps"]
    weights = {each["destination"]["host"]: each["weight"] for each in route["spec"]["http"][0]["route"]}
    is_done = status["currentPodHash"] == status["stableRS"]
    sets, _ = app.kube.list(REPLICA_SET, app.namespace)
    runs, _ = app.kube.list(ANALYSIS_RUN, app.namespace)
    live = next(
        item["liveState"]
        for item in app.application.api.managed(app.namespace)
        if item["kind"] == "VirtualService"
    )
    return {
        "step": (panel.step, f"{status['currentStepIndex']}/{len(steps)}"),
        "weight": (panel.actual_weight, 100 if is_done else weights["payments-canary"]),
        "live VirtualService": (live["spec"], route["spec"]),
        "image": (panel.images, (rollout["spec"]["template"]["spec"]["containers"][0]["image"],)),
        "ReplicaSets": (
            {each.name: (each.revision, each.role, each.images, each.pods) for each in panel.replica_sets},
            {each["metadata"]["name"]: _replica_set(app, each, status) for each in sets},
        ),
        "AnalysisRuns": (
            {run.name: run.status for run in panel.analysis_runs},
            {run["metadata"]["name"]: run.get("status", {}).get("phase") for run in runs},
        ),
    }


def _replica_set(app: GitOpsTrial, replica_set: Object, status: Object) -> tuple[object, ...]:
    """Revision, role, images and pods of a ReplicaSet in the cluster, in the panel's form."""
    metadata, pod_hash = replica_set["metadata"], replica_set["metadata"]["labels"][HASH_LABEL]
    is_canary = pod_hash == status["currentPodHash"] != status["stableRS"]
    pods = pods_of(app.kube, app.namespace, f"{HASH_LABEL}={pod_hash}")
    ready = {
        pod["metadata"]["name"]: f"{sum(c['ready'] for c in pod['status'].get('containerStatuses', []))}/1"
        for pod in pods
    }
    images = tuple(container["image"] for container in replica_set["spec"]["template"]["spec"]["containers"])
    revision = int(metadata["annotations"][REVISION_ANNOTATION])
    return revision, "canary" if is_canary else "stable", images, ready
