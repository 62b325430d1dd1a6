"""Makes the controller look at a Rollout again, as whatever happens in a busy cluster does."""

from __future__ import annotations

from fixtures.kube.client import Object
from fixtures.kube.kinds import REPLICA_SET, ROLLOUT
from fixtures.trial.trial import Trial

_ANNOTATION = "firedamp.dev/touched"


def touch(app: Trial, times: int = 1) -> None:
    """Annotate the Rollout and its ReplicaSets; both make the controller reconcile and change nothing.

    Args:
        app: The app.
        times: A number that differs from call to call, because the same annotation again is no change.
    """
    app.kube.patch(ROLLOUT, app.name, app.namespace, _patch(times))
    touch_replica_sets(app, times)


def touch_replica_sets(app: Trial, times: int = 1) -> None:
    """Annotate the ReplicaSets alone: the controller copies annotations of a Rollout to its ReplicaSet."""
    sets, _ = app.kube.list(REPLICA_SET, app.namespace)
    for each in sets:
        app.kube.patch(REPLICA_SET, each["metadata"]["name"], app.namespace, _patch(times))


def _patch(times: int) -> Object:
    return {"metadata": {"annotations": {_ANNOTATION: f"{times}"}}}
