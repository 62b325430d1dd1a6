"""Answers in place of an app: all requests with the fault of its version, the kubelet's probes without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from starlette.types import Receive, Scope, Send

from ..faults import Gate, gate
from ..release import Release
from . import grpc
from .metrics import Metrics, Served
from .settings import Probe, StandIn

Headers = list[tuple[bytes, bytes]]

# Hooks of the container's life are the kubelet's own requests too.
_HOOKS = "kube-lifecycle/"
_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


@dataclass(frozen=True)
class Call:
    """One request, whatever the version of HTTP.

    Attributes:
        port: The port that it came to.
        method: Its method.
        path: Its path, without the query.
        agent: Its User-Agent.
        is_grpc: Whether it is a call of gRPC.
        body: The beginning of its body; empty for HTTP/1.1, of which nothing is read.
    """

    port: int
    method: str
    path: str
    agent: str = ""
    is_grpc: bool = False
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What a request is answered.

    Attributes:
        status: The status of HTTP.
        body: The body.
        headers: All headers but the length.
        grpc: The status of gRPC, which comes after the body; None if it is no call of gRPC.
    """

    status: int
    body: bytes
    headers: Headers = field(default_factory=list)
    grpc: int | None = None


@dataclass(frozen=True)
class Pod:
    """The pod that this process runs in.

    Attributes:
        name: Its name.
        namespace: Its namespace; "" if it is not known.
        hash: The hash of its template; "" if it has none.
    """

    name: str
    namespace: str = ""
    hash: str = ""


class App:
    """An app as its clients see it."""

    def __init__(
        self, release: Release, described: StandIn, *, pod: Pod, draining: Callable[[], bool]
    ) -> None:
        """Take the place of an app.

        Args:
            release: Version and fault.
            described: The app.
            pod: The pod that this process runs in.
            draining: Whether this process has been asked to end.
        """
        self.draining = draining
        self._faulty: Gate = gate(release.fault)
        self._is_ready = release.fault["kind"] != "neverready"
        self._probes = [each for each in described["probes"] if each["kind"] == "http"]
        self._grpc_readiness = grpc_readiness(described["probes"])
        self._scrape = (described["scrape_port"], described["scrape_path"])
        own = {"version": release.version, "pod": pod.name, "namespace": pod.namespace, "hash": pod.hash}
        self._metrics = Metrics(described["metrics"], described["routes"], own)
        self._own = [(b"x-version", release.version.encode()), (b"x-pod", pod.name.encode())]
        self._good = Answer(200, json.dumps({"version": release.version}).encode(), [_JSON, *self._own])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Answer one request of HTTP/1.1; its body is not read."""
        agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        call = Call(scope["server"][1], scope["method"], scope["path"], agent.decode("latin-1"))
        answer = await self.answer(call)
        headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
        if self.draining():
            # Proxies then take this connection out of their pool, instead
            # of sending a request into it while it is being closed.
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, call: Call) -> Answer:
        """Answer one request, and count it."""
        started = perf_counter()
        answer = await self._answer(call)
        served = Served(call.method, call.path, answer.status, answer.grpc)
        self._metrics.record(served, perf_counter() - started)
        return answer

    async def _answer(self, call: Call) -> Answer:
        if call.is_grpc and call.path == grpc.HEALTH_CHECK:
            return self._health(call)
        if (call.port, call.path) == self._scrape:
            return Answer(200, self._metrics.render(), [_TEXT, *self._own])
        if call.agent.startswith(_HOOKS):
            return self._good
        uses = {each["use"] for each in self._probes if _is_of(each, call)}
        if uses:
            unready = self._unready(uses)
            return self._problem(503, unready) if unready else self._good
        if reason := await self._faulty(call.path):
            return self._grpc(grpc.INTERNAL) if call.is_grpc else self._problem(500, reason)
        return self._grpc(grpc.OK, grpc.EMPTY) if call.is_grpc else self._good

    def _unready(self, uses: Collection[str]) -> str:
        """Why a probe fails; "" if it passes."""
        if "readiness" not in uses:
            return ""
        if self.draining():
            return "draining"
        return "" if self._is_ready else "this version is never ready"

    def _health(self, call: Call) -> Answer:
        asks = (call.port, grpc.service_in(call.body))
        uses = {"readiness"} if asks in self._grpc_readiness or not self._grpc_readiness else {"liveness"}
        status = grpc.NOT_SERVING if self._unready(uses) else grpc.SERVING
        return self._grpc(grpc.OK, grpc.health(status))

    def _grpc(self, status: int, body: bytes = b"") -> Answer:
        return Answer(200, body, [(b"content-type", b"application/grpc"), *self._own], status)

    def _problem(self, status: int, reason: str) -> Answer:
        return Answer(status, json.dumps({"error": reason}).encode(), [_JSON, *self._own])


def grpc_readiness(probes: Sequence[Probe]) -> set[tuple[int, str]]:
    """The port and the service of each gRPC probe that decides whether the pod is ready."""
    return {
        (each["port"], each["path"])
        for each in probes
        if each["kind"] == "grpc" and each["use"] == "readiness"
    }


def _is_of(probe: Probe, call: Call) -> bool:
    """Whether a request is one of a probe. A client that asks the same path is none: it has another name."""
    asked = (probe["port"], probe["path"]) == (call.port, call.path)
    return asked and call.agent.startswith(probe["agent"])
