"""Prometheus, taken away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.cluster.kinds import DEPLOYMENT, POD
from fixtures.cluster.kube import Kube, Object, pods_of
from fixtures.cluster.wait import pod_ready
from fixtures.core.retry import PendingError, until
from fixtures.stack.prometheus import NAMESPACE, SERVICE

_SECONDS = 60.0


@contextmanager
def prometheus_away(kube: Kube) -> Iterator[None]:
    """Kill Prometheus and keep it away while the body runs; return when another, without data, is ready."""
    _scale(kube, 0)
    try:
        for pod in _pods(kube):
            kube.delete(POD, pod["metadata"]["name"], NAMESPACE, grace=0)
        until(lambda: _gone(kube), what="Prometheus gone", timeout=_SECONDS)
        yield
    finally:
        _scale(kube, 1)
        until(lambda: _ready(kube), what="Prometheus ready", timeout=_SECONDS)


def _scale(kube: Kube, replicas: int) -> None:
    kube.patch(DEPLOYMENT, SERVICE, NAMESPACE, {"spec": {"replicas": replicas}})


def _pods(kube: Kube) -> list[Object]:
    return pods_of(kube, NAMESPACE, f"app={SERVICE}")


def _gone(kube: Kube) -> None:
    if left := _pods(kube):
        raise PendingError(f"{len(left)} pods are there")


def _ready(kube: Kube) -> None:
    pods = _pods(kube)
    if not pods:
        raise PendingError("there is no pod")
    for pod in pods:
        pod_ready(pod)
