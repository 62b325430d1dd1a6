"""Ways to replace a Deployment by a Rollout."""

from __future__ import annotations

from fixtures.conditions.conditions import healthy
from fixtures.conditions.expectation import Assessment, Condition, met, pending, unknown
from fixtures.kube.client import Object
from fixtures.kube.kinds import DEPLOYMENT
from fixtures.timeline.records import DeploymentRecord
from fixtures.timeline.state import State
from fixtures.trial.trial import Trial

_READY_SECONDS = 60


def delete_and_apply(app: Trial) -> Condition:
    """Delete the Deployment and apply a Rollout with its pod template; return the condition to hold."""
    deployment = _deployment(app)
    app.kube.delete(DEPLOYMENT, app.name, app.namespace)
    app.apply([_rollout(deployment, template=deployment["spec"]["template"])])
    app.wait(healthy(), within=_READY_SECONDS)
    return healthy()


def refer(app: Trial, *, scale_down: str) -> Condition:
    """Apply a Rollout with a `workloadRef` that scales the Deployment down; return the condition to hold."""
    deployment = _deployment(app)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": app.name, "scaleDown": scale_down}
    app.apply([_rollout(deployment, workloadRef=reference)])
    app.wait(healthy(), within=_READY_SECONDS)
    app.wait(scaled_to_nothing(app.name), within=_READY_SECONDS)
    # The Rollout is not Healthy all the time: scaling the Deployment changes the object that it refers to.
    return scaled_to_nothing(app.name)


def scaled_to_nothing(name: str) -> Condition:
    """A condition: the Deployment has 0 desired pods, and no pods."""

    def check(state: State) -> Assessment:
        record = state.get(DeploymentRecord, name)
        if record is None:
            return unknown(f"no Deployment {name} seen")
        seen = f"{record.replicas} asked, {record.total} in all"
        return (pending if record.replicas or record.total else met)(seen)

    return Condition(f"Deployment {name} scaled to nothing", check, name)


def _deployment(app: Trial) -> Object:
    deployment = app.kube.get(DEPLOYMENT, app.name, app.namespace)
    assert deployment is not None
    return deployment


def _rollout(deployment: Object, **pods: Object) -> Object:
    spec = deployment["spec"]
    metadata = {name: deployment["metadata"][name] for name in ("name", "namespace")}
    strategy = {"canary": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": metadata,
        "spec": {"replicas": spec["replicas"], "selector": spec["selector"], "strategy": strategy, **pods},
    }
