"""The embedded node does what a Kubernetes node does, and refuses clients without a certificate."""

from __future__ import annotations

import threading
import time

import pytest

from fixtures.core import loopback
from fixtures.core.errors import ConditionNotMetError, FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object
from fixtures.kube.delivered import WatchEvent
from fixtures.kube.freshness import Freshness
from fixtures.kube.kinds import CONFIG_MAP, POD
from fixtures.kube.wait import api_ready, wait_for, wait_for_pod
from fixtures.kube.watch import Stop, watch
from fixtures.providers.native.layout import NODE_IP
from fixtures.providers.native.provider import NativeCluster

_IMAGE = "firedamp.dev/payments"


def test_an_image_that_does_not_exist_is_named_in_the_error_of_the_wait(node: NativeCluster) -> None:
    node.kube.apply(_pod("nowhere", f"{_IMAGE}:no-such-tag"))
    wait_for(node.kube, POD, "nowhere", "default", _is_waiting, what="a pull that failed", timeout=60)
    with pytest.raises(ConditionNotMetError, match=r"payments (ErrImagePull|ImagePullBackOff).*no-such-tag"):
        wait_for_pod(node.kube, "nowhere", "default", timeout=10)


@pytest.mark.parametrize(
    ("port", "path"), [(6443, "/api/v1/nodes"), (6443, "/readyz"), (10250, "/pods"), (10250, "/metrics")]
)
def test_who_has_no_certificate_is_refused(node: NativeCluster, port: int, path: str) -> None:
    url = f"https://127.0.0.1:{node.forward(NODE_IP, port)}{path}"
    authority = str(node.kubeconfig.parent / "pki" / "ca.crt")
    assert loopback.get(url, verify=authority, timeout=30).status_code == 401


def test_etcd_talks_to_nobody_but_the_api_server_on_either_port(node: NativeCluster) -> None:
    pki = node.kubeconfig.parent / "pki"
    curl = "curl --silent --http1.1 --noproxy '*' --insecure --max-time 2"

    def answer_of(port: int, *, scheme: str = "https", name: str = "") -> str:
        certificate = f"--cert {pki}/{name}.crt --key {pki}/{name}.key" if name else ""
        command = f"{curl} {certificate} {scheme}://127.0.0.1:{port}/version; echo code $?"
        return node.inside(["sh", "-c", command], timeout=30)

    for port in (2379, 2380):
        assert "etcdserver" in answer_of(port, name="etcd-client")
        for name in ("", "admin", "kubelet", "apiserver", "apiserver-kubelet"):
            assert "etcdserver" not in answer_of(port, name=name), f"{name or 'nobody'} on port {port}"
        assert "etcdserver" not in answer_of(port, scheme="http")


@pytest.mark.smoke
def test_a_watch_loses_and_doubles_nothing_when_the_api_server_is_killed(node: NativeCluster) -> None:
    stop, events = Stop(), list[WatchEvent]()
    freshness = Freshness()

    def follow() -> None:
        events.extend(watch(node.kube, CONFIG_MAP, "default", stop, freshness))

    follower = threading.Thread(target=follow)
    follower.start()
    assert freshness.listed.wait(60)
    names = [f"change-{number}" for number in range(6)]
    for name in names[:3]:
        node.kube.apply(_config_map(name))
    before = node.pid_of("kube-apiserver")
    node.inside(["kill", "-KILL", str(before)], timeout=30)
    until(lambda: _is_back(node, before), what="API server back", timeout=90)
    for name in names[3:]:
        node.kube.apply(_config_map(name))
    until(lambda: _require_change_of(names[-1], events), what="the last change", timeout=60)
    time.sleep(1)  # for what must not come: a change told twice
    began = time.monotonic()
    stop.set()
    follower.join(20)
    took = time.monotonic() - began
    seen = [(event.type, event.object["metadata"]["name"]) for event in events]
    assert [each for each in seen if each[1] in names] == [("ADDED", name) for name in names]
    # By itself, a request ends after up to 10 s.
    assert took < 5, f"the watch ended {took:.2f} s after it was stopped"


def test_keys_are_readable_by_their_owner_only(node: NativeCluster) -> None:
    folder = node.kubeconfig.parent
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode & 0o777
        is_secret = path.is_dir() or path.suffix == ".key" or path == node.kubeconfig
        assert not (is_secret and mode & 0o077), f"{path} has mode {mode:o}"


def _is_waiting(pod: Object) -> None:
    waiting = [each["state"].get("waiting", {}) for each in pod["status"].get("containerStatuses", [])]
    if not any("ImagePull" in each.get("reason", "") for each in waiting):
        raise PendingError(str(waiting))


def _is_back(node: NativeCluster, before: int) -> None:
    try:
        now = node.pid_of("kube-apiserver")
    except FiredampError as error:
        raise PendingError(error.message) from error
    if now == before:
        raise PendingError("it is still the one that was killed")
    api_ready(node.kube)


def _require_change_of(name: str, events: list[WatchEvent]) -> None:
    if all(event.object["metadata"]["name"] != name for event in events):
        raise PendingError(f"{len(events)} changes told")


def _pod(name: str, image: str) -> Object:
    container = {
        "name": "payments", "image": image, "imagePullPolicy": "IfNotPresent",
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
    }  # fmt: skip
    metadata = {"name": name, "namespace": "default", "labels": {"app": name}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _config_map(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
