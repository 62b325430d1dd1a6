"""What is done to an app while its answers are compared: releases, aborts, ends and restarts of pods."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from e2e.variants import canary_steps, combined, judged_by
from fixtures.conditions.conditions import aborted, paused_at, preview_ready, promoted
from fixtures.conditions.expectation import Assessment, Condition, all_of, met, pending
from fixtures.kube.kinds import POD
from fixtures.timeline.records import PodRecord, RolloutRecord
from fixtures.timeline.state import State
from fixtures.trial.trial import Trial

# At the first weight, an analysis has time to fail a bad version, also on a busy machine.
SHORT_CANARY = combined(judged_by("success-rate"), canary_steps(25, "15s", 60, "1s"))
_WITHIN = 90
# Lets the server in the container end, as after SIGTERM of the kubelet; the container then starts again.
_END_OF_CONTAINER = ("python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")


def canary_walk(app: Trial) -> Iterator[str]:
    """Release good and bad versions for as long as is wanted, end pods, and yield what was done."""
    for number in itertools.count():
        good = ("1.1", "1.0")[number % 2]
        app.deploy(good)
        app.wait(promoted(good), within=_WITHIN)
        yield f"{good} promoted"
        yield from _pods_end(app)
        app.deploy("1.2-5xx")
        app.wait(aborted(version="1.2-5xx"), within=_WITHIN)
        yield "1.2-5xx aborted"


def blue_green_walk(app: Trial) -> Iterator[str]:
    """Release versions by their preview for as long as is wanted, end pods, and yield what was done."""
    for number in itertools.count(1):
        # Each time a version that is new and works. To one that still has pods, the controller switches
        # without a pause: isBlueGreenFastTracked in rollout/bluegreen.go of Argo Rollouts.
        good = f"1.2-slow-{number}"
        app.deploy(good)
        app.wait(all_of(preview_ready(good), paused_at()), within=_WITHIN)
        yield f"{good} in the preview"
        app.promote()
        app.wait(promoted(good), within=_WITHIN)
        yield f"{good} promoted"
        yield from _pods_end(app)


WALKS: dict[str, Callable[[Trial], Iterator[str]]] = {"canary": canary_walk, "bluegreen": blue_green_walk}


def _pods_end(app: Trial) -> Iterator[str]:
    """End a pod in each way: deleted, deleted by force, and restarted in its place."""
    for what, grace in (("deleted", None), ("deleted by force", 0)):
        pod = _ready_pod(app)
        app.kube.delete(POD, pod.name, app.namespace, grace=grace)
        app.wait(_replaced(pod), within=_WITHIN)
        yield f"a pod {what}"
    pod = _ready_pod(app)
    app.kube.execute(pod.name, app.namespace, "payments", _END_OF_CONTAINER)
    app.wait(_restarted(pod), within=_WITHIN)
    yield "a container restarted"


def _ready_pod(app: Trial) -> PodRecord:
    """A pod of the stable version, which goes on; those of the version before may be removed at any time."""
    state, _ = app.timeline.snapshot()
    rollout = state.get(RolloutRecord, app.name)
    assert rollout is not None
    stable = [pod for pod in state.all(PodRecord) if pod.ready and pod.hash == rollout.stable]
    return min(stable, key=lambda pod: str(pod.name))


def _replaced(pod: PodRecord) -> Condition:
    """The pod is gone, and as many others are ready as before."""

    def check(state: State) -> Assessment:
        pods = state.all(PodRecord)
        is_gone = all(each.uid != pod.uid for each in pods)
        return (met if is_gone and _enough_are_ready(pods) else pending)(f"{len(pods)} pods")

    return Condition(f"another pod in place of {pod.name}", check)


def _restarted(pod: PodRecord) -> Condition:
    """The container of the pod has been started again, and the pod is ready."""

    def check(state: State) -> Assessment:
        now = next((each for each in state.all(PodRecord) if each.uid == pod.uid), None)
        has_restarted = now is not None and now.restarts > pod.restarts and now.ready
        return (met if has_restarted else pending)(f"{now.restarts if now else 'no'} restarts")

    return Condition(f"{pod.name} restarted", check)


def _enough_are_ready(pods: list[PodRecord]) -> bool:
    return bool(pods) and all(pod.ready for pod in pods)
