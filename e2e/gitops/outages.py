"""Components of Argo CD, and the Git server, taken away for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from fixtures.cluster.kinds import CONFIG_MAP, DEPLOYMENT, POD, SECRET, SERVICE, STATEFUL_SET, Kind
from fixtures.cluster.kube import Kube, Object, pods_of
from fixtures.cluster.wait import pod_ready
from fixtures.core.retry import PendingError, until
from fixtures.stack import argocd, git_server
from fixtures.stack.access import GitServer

_SECONDS = 180.0
# Statefully named, because it shards by its ordinal.
_KINDS = {"argocd-application-controller": STATEFUL_SET}


@contextmanager
def killed(kube: Kube, name: str) -> Iterator[None]:
    """Kill a component of Argo CD and keep it away while the body runs; return when it is ready again."""
    kind = _KINDS.get(name, DEPLOYMENT)
    _scale(kube, kind, name, 0)
    for pod in pods(kube, name):
        kube.delete(POD, pod["metadata"]["name"], argocd.NAMESPACE, grace=0)
    until(lambda: _gone(kube, name), what=f"{name} gone", timeout=_SECONDS)
    try:
        yield
    finally:
        _scale(kube, kind, name, 1)
        until(lambda: _ready(kube, name), what=f"{name} ready", timeout=_SECONDS)


@contextmanager
def unreachable(kube: Kube, server: GitServer) -> Iterator[None]:
    """Have nobody reach the Git server while the body runs."""
    service = kube.get(SERVICE, git_server.SERVICE, git_server.NAMESPACE)
    assert service is not None
    selector = service["spec"]["selector"]
    _select(kube, dict.fromkeys(selector, "nobody"))
    try:
        until(lambda: _answers(server, False), what="the Git server unreachable", timeout=_SECONDS)
        yield
    finally:
        _select(kube, selector)
        until(lambda: _answers(server, True), what="the Git server reachable", timeout=_SECONDS)


@contextmanager
def polling(kube: Kube, seconds: int) -> Iterator[None]:
    """Have Argo CD look at repositories every so many seconds while the body runs, instead of 120 to 180."""
    _configure(kube, {"timeout.reconciliation": f"{seconds}s", "timeout.reconciliation.jitter": "0s"})
    try:
        yield
    finally:
        _configure(kube, {"timeout.reconciliation": None, "timeout.reconciliation.jitter": None})


@contextmanager
def wrong_credentials(kube: Kube, url: str) -> Iterator[None]:
    """Give Argo CD another password for one repository while the body runs."""
    name = "wrong-credentials"
    labels = {"argocd.argoproj.io/secret-type": "repository"}
    metadata = {"name": name, "namespace": argocd.NAMESPACE, "labels": labels}
    data = {"type": "git", "url": url, "username": "firedamp", "password": "wrong"}
    kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})
    try:
        yield
    finally:
        kube.delete(SECRET, name, argocd.NAMESPACE)


def pods(kube: Kube, name: str) -> list[Object]:
    """The pods of a component of Argo CD."""
    return pods_of(kube, argocd.NAMESPACE, f"app.kubernetes.io/name={name}")


def _configure(kube: Kube, settings: Mapping[str, str | None]) -> None:
    """Change Argo CD's settings, and restart whoever reads these when it starts."""
    kube.patch(CONFIG_MAP, "argocd-cm", argocd.NAMESPACE, {"data": settings})
    with killed(kube, "argocd-application-controller"), killed(kube, "argocd-repo-server"):
        pass


def _scale(kube: Kube, kind: Kind, name: str, replicas: int) -> None:
    kube.patch(kind, name, argocd.NAMESPACE, {"spec": {"replicas": replicas}})


def _select(kube: Kube, selector: dict[str, str]) -> None:
    kube.patch(SERVICE, git_server.SERVICE, git_server.NAMESPACE, {"spec": {"selector": selector}})


def _answers(server: GitServer, expected: bool) -> None:
    try:
        requests.get(server.url_from_host, verify=str(server.ca_file), timeout=2)
    except requests.RequestException as error:
        if expected:
            raise PendingError(str(error)) from error
    else:
        if not expected:
            raise PendingError("it answers")


def _gone(kube: Kube, name: str) -> None:
    if left := pods(kube, name):
        raise PendingError(f"{len(left)} pods are there")


def _ready(kube: Kube, name: str) -> None:
    found = pods(kube, name)
    if not found:
        raise PendingError("there is no pod")
    for pod in found:
        pod_ready(pod)
