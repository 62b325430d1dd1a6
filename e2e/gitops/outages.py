"""Takes away components of Argo CD, or the Git server, for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import requests

from fixtures.addons import argocd, git_server
from fixtures.addons.access import GitServer
from fixtures.core import loopback
from fixtures.core.answering import until_answered
from fixtures.core.retry import PendingError, until
from fixtures.faults.targets import Workload
from fixtures.faults.workloads import away
from fixtures.kube.client import Kube, Object, pods_of
from fixtures.kube.kinds import CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE, STATEFUL_SET

_SECONDS = 180.0
# A StatefulSet, because its shard is the ordinal in the pod's name.
_KINDS = {"argocd-application-controller": STATEFUL_SET}


def killed(kube: Kube, name: str) -> AbstractContextManager[None]:
    """Take a component of Argo CD away, for a body without a trial; a test of one has `app.faults.away`."""
    return away(kube, Workload(_KINDS.get(name, DEPLOYMENT), name, argocd.NAMESPACE))


@contextmanager
def unreachable(kube: Kube, server: GitServer) -> Iterator[None]:
    """Make the Git server unreachable while the body runs."""
    service = kube.get(SERVICE, git_server.SERVICE, git_server.NAMESPACE)
    assert service is not None
    selector = service["spec"]["selector"]
    _select(kube, dict.fromkeys(selector, "nobody"))
    try:
        until(lambda: _require_silent(server), what="the Git server unreachable", timeout=_SECONDS)
        yield
    finally:
        _select(kube, selector)
        until_answered(
            server.url_from_host, what="the Git server", timeout=_SECONDS, verify=str(server.ca_file)
        )


@contextmanager
def polling(kube: Kube, seconds: int) -> Iterator[None]:
    """Have Argo CD poll repositories every `seconds` while the body runs, instead of every 120 to 180 s."""
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
    return pods_of(kube, argocd.NAMESPACE, _selector(name))


def _selector(name: str) -> str:
    return f"app.kubernetes.io/name={name}"


def _configure(kube: Kube, settings: Mapping[str, str | None]) -> None:
    """Change Argo CD's settings, and restart the components that read them only when they start."""
    kube.patch(CONFIG_MAP, "argocd-cm", argocd.NAMESPACE, {"data": settings})
    with killed(kube, "argocd-application-controller"), killed(kube, "argocd-repo-server"):
        pass


def _select(kube: Kube, selector: dict[str, str]) -> None:
    kube.patch(SERVICE, git_server.SERVICE, git_server.NAMESPACE, {"spec": {"selector": selector}})


def _require_silent(server: GitServer) -> None:
    try:
        loopback.get(server.url_from_host, verify=str(server.ca_file), timeout=2)
    except requests.RequestException:
        return
    raise PendingError("it answers")
