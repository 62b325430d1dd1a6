"""Reads the history of a namespace directly from etcd, by a watch of etcd."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from e2e.harness.watch_history.background import Background
from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.kube.kinds import ANALYSIS_RUN, REPLICA_SET, SERVICE, VIRTUAL_SERVICE, Kind

# The keys in etcd under which the API server stores objects of each kind.
FOLDERS = {
    REPLICA_SET: "/registry/replicasets/",
    SERVICE: "/registry/services/specs/",
    VIRTUAL_SERVICE: "/registry/networking.istio.io/virtualservices/",
    ANALYSIS_RUN: "/registry/argoproj.io/analysisruns/",
}
_PAUSE = 0.1
# etcd sends nothing while nothing changes. But objects are changed so often that such a long silence means
# that etcd is away.
_READ_SECONDS = 5


@dataclass(frozen=True)
class Change:
    """One change of one object, as etcd has it.

    Attributes:
        kind: The kind of the object.
        name: The name of the object.
        revision: The revision, which the API server calls the resource version.
        created: The revision that created the object; it differs from earlier objects with the same name.
        is_deletion: Whether the change deleted the object.
    """

    kind: Kind
    name: str
    revision: int
    created: int
    is_deletion: bool


class EtcdHistory(Background):
    """Follows all changes of the objects of a namespace, also when etcd fails for a while.

    Attributes:
        changes: The changes so far, in order.
    """

    def __init__(self, url: str, pki: Path, namespace: str) -> None:
        """Follow the namespace.

        Args:
            url: The URL of etcd.
            pki: The folder with the native node's certificates, which etcd asks for.
            namespace: The namespace to follow.
        """
        super().__init__("etcd-history", end_seconds=2 * _READ_SECONDS)
        self.changes: list[Change] = []
        self._url = url
        self._namespace = namespace
        self._session = loopback.session()
        authority = next(path for path in (pki / "etcd-ca.crt", pki / "ca.crt") if path.exists())
        self._session.verify = str(authority)
        # The API server's client certificate: etcd accepts no other.
        self._session.cert = (str(pki / "etcd-client.crt"), str(pki / "etcd-client.key"))

    def __enter__(self) -> Self:
        self._next = self._revision() + 1
        return super().__enter__()

    def wait_for(self, revision: int) -> None:
        """Wait until all changes up to a revision were read."""

        def check() -> None:
            if self._next <= revision and not self.failure:
                raise PendingError(f"at {self._next}")

        until(check, what=f"etcd's history up to {revision}", timeout=60)

    def _revision(self) -> int:
        answer = self._session.post(
            f"{self._url}/v3/kv/range", json={"key": _text("/"), "count_only": True}, timeout=10
        )
        return int(answer.json()["header"]["revision"])

    def work(self) -> None:
        """Read changes from etcd, on a new connection whenever one has ended."""
        while not self._stop.is_set():
            try:
                for answer in self._stream():
                    self._take(answer)
            except OSError:  # the base class of all errors of requests
                self._stop.wait(_PAUSE)

    def _stream(self) -> Iterator[dict[str, Any]]:
        request = {
            "key": _text("/registry/"), "range_end": _text("/registry0"), "start_revision": str(self._next),
            "prev_kv": True,
        }  # fmt: skip
        answer = self._session.post(
            f"{self._url}/v3/watch", json={"create_request": request}, stream=True, timeout=(5, _READ_SECONDS)
        )
        try:
            pending = b""
            for chunk in answer.iter_content(chunk_size=None):
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
                if self._stop.is_set():
                    return
        finally:
            answer.close()

    def _take(self, answer: dict[str, Any]) -> None:
        result = answer.get("result")
        if result is None or result.get("canceled"):
            if int((result or {}).get("compact_revision", 0)):
                raise RuntimeError(f"etcd has compacted its history: {answer}")
            raise requests.ConnectionError(f"the watch ended: {answer}")
        for event in result.get("events", []):
            change = _change(event, self._namespace)
            if change:
                self.changes.append(change)
        if result.get("events"):
            self._next = max(int(event["kv"]["mod_revision"]) for event in result["events"]) + 1


def _change(event: dict[str, Any], namespace: str) -> Change | None:
    kv = event["kv"]
    key = base64.b64decode(kv["key"]).decode()
    for kind, folder in FOLDERS.items():
        if key.startswith(f"{folder}{namespace}/"):
            is_deletion = event.get("type") == "DELETE"
            object_of = event["prev_kv"] if is_deletion else kv
            return Change(
                kind, key.rsplit("/", 1)[-1], int(kv["mod_revision"]), int(object_of["create_revision"]),
                is_deletion,
            )  # fmt: skip
    return None


def _text(key: str) -> str:
    return base64.b64encode(key.encode()).decode()
