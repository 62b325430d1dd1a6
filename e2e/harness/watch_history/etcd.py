"""etcd's own history of a namespace, read from a watch of etcd itself."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import urllib3

from e2e.harness.watch_history.background import Background
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

    def __init__(self, url: str, tls: ssl.SSLContext, namespace: str) -> None:
        """Follow the namespace.

        Args:
            url: Where etcd is.
            tls: What it lets one in by.
            namespace: Of which the history is.
        """
        super().__init__("etcd-history", end_seconds=2 * _READ_SECONDS)
        self.changes: list[Change] = []
        self._url = url
        self._namespace = namespace
        self._pool = urllib3.PoolManager(ssl_context=tls, retries=False, assert_hostname="127.0.0.1")

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
        answer = self._pool.request(
            "POST", f"{self._url}/v3/kv/range", json={"key": _text("/"), "count_only": True}, timeout=10
        )
        return int(answer.json()["header"]["revision"])

    def work(self) -> None:
        """Take in what etcd tells, on a new connection whenever one has ended."""
        while not self._stop.is_set():
            try:
                for answer in self._stream():
                    self._take(answer)
            except (urllib3.exceptions.HTTPError, OSError):
                self._stop.wait(_PAUSE)

    def _stream(self) -> Iterator[dict[str, Any]]:
        wanted = {
            "key": _text("/registry/"), "range_end": _text("/registry0"), "start_revision": str(self._next),
            "prev_kv": True,
        }  # fmt: skip
        answer = self._pool.request(
            "POST", f"{self._url}/v3/watch", json={"create_request": wanted}, preload_content=False,
            timeout=urllib3.Timeout(connect=5, read=_READ_SECONDS),
        )  # fmt: skip
        try:
            pending = b""
            for chunk in answer.stream(amt=None, decode_content=False):
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
            raise urllib3.exceptions.ProtocolError(f"the watch ended: {answer}")
        for event in result.get("events", []):
            change = _change(event, self._namespace)
            if change:
                self.changes.append(change)
        if result.get("events"):
            self._next = max(int(event["kv"]["mod_revision"]) for event in result["events"]) + 1


def etcd_tls(pki: Path) -> ssl.SSLContext:
    """What a native node's etcd lets one in by: the certificate of its API server."""
    authority = next(path for path in (pki / "etcd-ca.crt", pki / "ca.crt") if path.exists())
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
    return context


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
