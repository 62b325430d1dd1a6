"""Components of Argo CD, and the Git server, taken away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.cluster.kinds import DEPLOYMENT, POD, SERVICE, STATEFUL_SET, Kind
from fixtures.cluster.kube import Kube, Object, pods_of
from fixtures.cluster.wait import pod_ready
from fixtures.core.retry import PendingError, until
from fixtures.stack import argocd, git_server

_SECONDS = 60.0
# Statefully named, because it shards by its ordinal.
_KINDS = {"argocd-application-controller": STATEFUL_SET}


@contextmanager
def killed(kube: Kube, name: str) -> Iterator[None]:
    """Kill a component of Argo CD and keep it away while the body runs; return when it is ready again."""
    kind = _KINDS.get(name, DEPLOYMENT)
    _scale(kube, kind, name, 0)
    for pod in _pods(kube, name):
        kube.delete(POD, pod["metadata"]["name"], argocd.NAMESPACE, grace=0)
    until(lambda: _gone(kube, name), what=f"{name} gone", timeout=_SECONDS)
    try:
        yield
    finally:
        _scale(kube, kind, name, 1)
        until(lambda: _ready(kube, name), what=f"{name} ready", timeout=_SECONDS)


@contextmanager
def unreachable(kube: Kube) -> Iterator[None]:
    """Have nobody reach the Git server while the body runs."""
    service = kube.get(SERVICE, git_server.SERVICE, git_server.NAMESPACE)
    assert service is not None
    selector = service["spec"]["selector"]
    _select(kube, dict.fromkeys(selector, "nobody"))
    try:
        yield
    finally:
        _select(kube, selector)


def _scale(kube: Kube, kind: Kind, name: str, replicas: int) -> None:
    kube.patch(kind, name, argocd.NAMESPACE, {"spec": {"replicas": replicas}})


def _select(kube: Kube, selector: dict[str, str]) -> None:
    kube.patch(SERVICE, git_server.SERVICE, git_server.NAMESPACE, {"spec": {"selector": selector}})


def _pods(kube: Kube, name: str) -> list[Object]:
    return pods_of(kube, argocd.NAMESPACE, f"app.kubernetes.io/name={name}")


def _gone(kube: Kube, name: str) -> None:
    if left := _pods(kube, name):
        raise PendingError(f"{len(left)} pods are there")


def _ready(kube: Kube, name: str) -> None:
    pods = _pods(kube, name)
    if not pods:
        raise PendingError("there is no pod")
    for pod in pods:
        pod_ready(pod)
