"""Experiments without a Rollout: when they end, how, and when their pods go."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from e2e.analysis.metrics import BARE, GOOD, metric
from e2e.types import Report, StartTrial
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object, pods_of
from fixtures.kube.kinds import EXPERIMENT, ROLLOUT
from fixtures.kube.wait import wait_for
from fixtures.trial.trial import Trial

_DURATION, _DELAY, _DEADLINE = 3, 2, 8
_ENDED = ("Successful", "Failed", "Error", "Inconclusive")


@pytest.mark.scenario("can-16")
def test_an_experiment_ends_by_its_duration_its_analysis_or_its_deadline_and_its_pods_go(
    trial: StartTrial, numbers: Report
) -> None:
    analysis = {"name": "required", "templateName": "once", "requiredForCompletion": True}
    with trial("canary") as app:
        app.kube.apply(_template(app))
        # Neither is ready in `deadline`: one template has a pod that never starts.
        _create(app, "duration", ["good"], duration=f"{_DURATION}s")
        _create(app, "required", ["good"], duration="5m", analyses=[analysis])
        _create(app, "deadline", ["bad", "good"], duration=f"{_DURATION}s")
        _create(app, "running", ["good"])
        _wait(app, "running", _require_running)
        ended = {name: _ended(app, name) for name in ("duration", "required", "deadline")}
        app.kube.delete(EXPERIMENT, "running", app.namespace)
        until(lambda: _require_no_pods(app), what="pods of experiments gone", timeout=15)
    phases = {name: status["phase"] for name, status in ended.items()}
    assert phases == {"duration": "Successful", "required": "Successful", "deadline": "Failed"}
    assert "'bad'" in ended["deadline"]["message"], ended["deadline"]["message"]
    numbers(**phases)


def _create(app: Trial, name: str, templates: list[str], **spec: object) -> None:
    """Create an Experiment with a pod of each template; a bad one has an image that is not there."""
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    app.kube.create(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Experiment",
            "metadata": {"name": name, "namespace": app.namespace},
            "spec": {
                "progressDeadlineSeconds": _DEADLINE,
                "scaleDownDelaySeconds": _DELAY,
                "templates": [_pods(rollout["spec"]["template"], name, each) for each in templates],
                **spec,
            },
        }
    )


def _pods(template: Object, experiment: str, name: str) -> Object:
    pods = copy.deepcopy(template)
    labels = {"app": f"{experiment}-{name}", "experiment": experiment}
    pods["metadata"]["labels"] = labels
    if name == "bad":
        pods["spec"]["containers"][0]["image"] += "-is-not-there"
    return {"name": name, "selector": {"matchLabels": labels}, "template": pods}


def _template(app: Trial) -> Object:
    """An analysis that measures once, which is what a metric without an interval does."""
    once = {
        key: value for key, value in metric("once", GOOD, BARE).items() if key not in ("interval", "count")
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "once", "namespace": app.namespace},
        "spec": {"metrics": [once]},
    }


def _ended(app: Trial, name: str) -> Object:
    status: Object = _wait(app, name, _require_end)["status"]
    return status


def _wait(app: Trial, name: str, check: Callable[[Object], None]) -> Object:
    what = f"Experiment {name}"
    return wait_for(app.kube, EXPERIMENT, name, app.namespace, check, what=what, timeout=60)


def _require_running(experiment: Object) -> None:
    """It runs, and its condition Progressing says that its pods are there."""
    status = experiment.get("status", {})
    reasons = [each["reason"] for each in status.get("conditions", []) if each["type"] == "Progressing"]
    if (status.get("phase"), reasons) != ("Running", ["NewReplicaSetAvailable"]):
        raise PendingError(f"{status.get('phase')}, {reasons}")


def _require_end(experiment: Object) -> None:
    phase = experiment.get("status", {}).get("phase", "no phase")
    if phase not in _ENDED:
        raise PendingError(phase)


def _require_no_pods(app: Trial) -> None:
    pods = pods_of(app.kube, app.namespace, "experiment")
    if left := [each["metadata"]["name"] for each in pods if "deletionTimestamp" not in each["metadata"]]:
        raise PendingError(f"{', '.join(left)} are there")
