"""Takes a workload of the cluster away for a while, or for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube, pods_of
from fixtures.kube.kinds import DEPLOYMENT, POD, Kind
from fixtures.kube.wait import pod_ready

_GONE_SECONDS, _READY_SECONDS = 60.0, 180.0


@contextmanager
def killed(
    kube: Kube, name: str, namespace: str, selector: str, *, kind: Kind = DEPLOYMENT
) -> Iterator[None]:
    """Kill a workload and keep it away while the body runs; return when one pod of it is ready again.

    Args:
        kube: Access to the API server.
        name: The workload's name.
        namespace: Its namespace.
        selector: The labels of its pods.
        kind: The kind of the workload.

    Raises:
        ConditionNotMetError: Its pods did not end, or it did not come back, in time.
    """
    try:
        kill(kube, name, namespace, selector, kind=kind)
        yield
    finally:
        _scale(kube, kind, name, namespace, 1)
        until(lambda: _ready(kube, namespace, selector), what=f"{name} ready", timeout=_READY_SECONDS)


def kill(kube: Kube, name: str, namespace: str, selector: str, *, kind: Kind = DEPLOYMENT) -> None:
    """Take a workload away at once, and for good; see `killed`.

    Raises:
        ConditionNotMetError: Its pods did not end in time.
    """
    _scale(kube, kind, name, namespace, 0)
    for pod in pods_of(kube, namespace, selector):
        # With a grace period of 0 the object would be gone before its containers have ended.
        kube.delete(POD, pod["metadata"]["name"], namespace, grace=1)
    until(lambda: _gone(kube, namespace, selector), what=f"{name} gone", timeout=_GONE_SECONDS)


def _scale(kube: Kube, kind: Kind, name: str, namespace: str, replicas: int) -> None:
    kube.patch(kind, name, namespace, {"spec": {"replicas": replicas}})


def _gone(kube: Kube, namespace: str, selector: str) -> None:
    if left := pods_of(kube, namespace, selector):
        raise PendingError(f"{len(left)} pods are there")


def _ready(kube: Kube, namespace: str, selector: str) -> None:
    pods = pods_of(kube, namespace, selector)
    if not pods:
        raise PendingError("there is no pod")
    for pod in pods:
        pod_ready(pod)
