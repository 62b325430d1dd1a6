"""Changes of the overlay of a scenario: entries of kustomize's `patches`."""

from __future__ import annotations

import yaml

from fixtures.core.objects import Object
from fixtures.gitops.config import KUSTOMIZATION, Files
from fixtures.trial.gitops import GitOpsTrial


def canary_steps(*steps: int | str | None) -> Object:
    """Steps of a canary: a number sets the weight, "8s" pauses for that time, None pauses until promoted."""
    return _patch("Rollout", _replace("/spec/strategy/canary/steps", [_step(step) for step in steps]))


def judged_by(*templates: str) -> Object:
    """The background analysis runs only these AnalysisTemplates."""
    named = [{"templateName": name} for name in templates]
    return _patch("Rollout", _replace("/spec/strategy/canary/analysis/templates", named))


def available_after(seconds: int) -> Object:
    """Pods count as available once they have been ready for `seconds`, so that each step is reached later."""
    return _patch("Rollout", {"op": "add", "path": "/spec/minReadySeconds", "value": seconds})


def progress_deadline(seconds: int) -> Object:
    """A canary that is not available in time is aborted; its pods stay for a minute, to be looked at."""
    stay = {"op": "add", "path": "/spec/strategy/canary/abortScaleDownDelaySeconds", "value": 60}
    return _patch("Rollout", _replace("/spec/progressDeadlineSeconds", seconds), stay)


def lingering() -> Object:
    """Pods serve for 8 s more after SIGTERM: a busy gateway goes on sending them requests for seconds."""
    pod = "/spec/template/spec"
    linger = {"name": "LINGER_SECONDS", "value": "8"}
    return _patch(
        "Rollout",
        _replace(f"{pod}/terminationGracePeriodSeconds", 20),
        {"op": "add", "path": f"{pod}/containers/0/env/-", "value": linger},
    )


def replicas(count: object) -> Object:
    """Set the number of pods of the Rollout; for tests of bad input, to something that is not a number."""
    return _patch("Rollout", _replace("/spec/replicas", count))


def response_header(name: str, value: str) -> Object:
    """The VirtualService's route adds a header to each response."""
    headers = {"response": {"set": {name: value}}}
    return _patch("VirtualService", {"op": "add", "path": "/spec/http/0/headers", "value": headers})


def with_patch(app: GitOpsTrial, patch: Object) -> Files:
    """The overlay's kustomization with one more patch."""
    parsed = yaml.safe_load(app.repository.read(KUSTOMIZATION))
    parsed["patches"] = [*parsed["patches"], patch]
    return {KUSTOMIZATION: yaml.safe_dump(parsed, sort_keys=False)}


def _step(step: int | str | None) -> Object:
    if step is None:
        return {"pause": {}}
    return {"setWeight": step} if isinstance(step, int) else {"pause": {"duration": step}}


def _patch(kind: str, *operations: Object) -> Object:
    return {"target": {"kind": kind, "name": "payments"}, "patch": yaml.safe_dump([*operations])}


def _replace(path: str, value: object) -> Object:
    return {"op": "replace", "path": path, "value": value}
