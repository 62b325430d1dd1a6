"""etcd's own history of a namespace, read from a watch of etcd itself."""

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

# Where the API server keeps what it is told.
FOLDERS = {
    REPLICA_SET: "/registry/replicasets/",
    SERVICE: "/registry/services/specs/",
    VIRTUAL_SERVICE: "/registry/networking.istio.io/virtualservices/",
    ANALYSIS_RUN: "/registry/argoproj.io/analysisruns/",
}
_PAUSE = 0.1
# Of what does not happen etcd tells nothing; but so long the writers are silent only while it is away.
_READ_SECONDS = 5


@dataclass(frozen=True)
class Change:
    """One change of one object, as etcd has it.

    Attributes:
        kind: Of the object.
        name: Of the object.
        revision: What the API server calls the resource version.
        created: The revision at which this object was created, which tells it from others of its name.
        is_deletion: Whether it was deleted by this.
    """

    kind: Kind
    name: str
    revision: int
    created: int
    is_deletion: bool


class EtcdHistory(Background):
    """Follows everything that happens to the objects of a namespace, from now on, whatever happens to etcd.

    Attributes:
        changes: What happened so far, in order.
    """

    def __init__(self, url: str, pki: Path, namespace: str) -> None:
        """Follow the namespace.

        Args:
            url: Where etcd is.
            pki: The folder with the certificates of the native node, by which etcd lets one in.
            namespace: Of which the history is.
        """
        super().__init__("etcd-history", end_seconds=2 * _READ_SECONDS)
        self.changes: list[Change] = []
        self._url = url
        self._namespace = namespace
        self._session = loopback.session()
        authority = next(path for path in (pki / "etcd-ca.crt", pki / "ca.crt") if path.exists())
        self._session.verify = str(authority)
        # The API server's, by which alone etcd lets one in.
        self._session.cert = (str(pki / "etcd-client.crt"), str(pki / "etcd-client.key"))

    def __enter__(self) -> Self:
        self._next = self._revision() + 1
        return super().__enter__()

    def wait_for(self, revision: int) -> None:
        """Wait until everything up to a revision is known."""

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
        """Take in what etcd tells, on a new connection whenever one has ended."""
        while not self._stop.is_set():
            try:
                for answer in self._stream():
                    self._take(answer)
            except OSError:  # all errors of requests are such
                self._stop.wait(_PAUSE)

    def _stream(self) -> Iterator[dict[str, Any]]:
        wanted = {
            "key": _text("/registry/"), "range_end": _text("/registry0"), "start_revision": str(self._next),
            "prev_kv": True,
        }  # fmt: skip
        answer = self._session.post(
            f"{self._url}/v3/watch", json={"create_request": wanted}, stream=True, timeout=(5, _READ_SECONDS)
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
