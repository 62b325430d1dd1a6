"""The record of one request and its answer, and the file that holds the records of a stream of load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Record, Time
from loadgen.flags import made_by_proxy

# A busy machine may delay a client by up to this much; a request that is sent later than this counts as late.
LATE_MS = 50.0


class Request(Record, frozen=True, kw_only=True, gc=False, tag="request"):
    """One request as its client saw it; all times are Unix seconds of one clock.

    Attributes:
        t: When it was sent.
        intended: When it should be sent by the schedule; see `loadgen.records.LATE_MS` for what is late.
        received: When its answer was complete, or when the client gave up.
        latency_ms: `received - intended`, in milliseconds: the wait of a user who comes at the intended time.
        service_ms: `received - t`, in milliseconds.
        status: HTTP status; 0 if there was no answer.
        version: The version that answered, by image tag; `workload:tag` if the pod is not one of the app.
            Null if no pod answered, or if it is not known which. It is found out when a recording is read:
            see `fixtures.timeline.attribution`. If the gateway does not tell, it is the answer's `x-version`.
        pod: Name of the pod that answered, found out in the same way, or else the answer's `x-pod`.
        host: The Host header sent.
        path: The path asked for.
        stream: The stream of load that it belongs to.
        reused: Whether it went over a connection that an earlier request had opened.
        error: Why there was no complete answer; None if there was one.
        free: For a request that was sent late: whether a client was free at its intended time. If so, the
            load generator itself was late; if not, all clients were waiting for answers. None for a request
            that was sent in time.
        upstream: Address and port to which the gateway sent the request: the answer's `x-firedamp-upstream`.
            Null if it was sent nowhere, or if the gateway does not tell.
        flags: Envoy's response flags, such as `UH` or `UF,URX`: the answer's `x-firedamp-flags`. `-` if the
            gateway made the answer itself and set no flag. Null if the answer came from upstream and no flag
            was set, or if the gateway does not tell.
        claimed: The answer's `x-version`: what the app itself says.
        claimed_pod: The answer's `x-pod`.
    """

    intended: Time
    received: Time
    latency_ms: float
    service_ms: float
    status: Annotated[int, Meta(ge=0, le=999)]
    host: str
    path: str
    stream: str
    reused: bool
    error: str | None
    free: bool | None
    version: str | None = None
    pod: str | None = None
    upstream: str | None = None
    flags: str | None = None
    claimed: str | None = None
    claimed_pod: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there was no complete answer, or a status outside of 200 to 399."""
        return self.error is not None or not 200 <= self.status < 400

    @property
    def is_by_proxy(self) -> bool:
        """Whether the gateway made the answer itself, and no pod did."""
        return self.flags is not None and (self.upstream is None or made_by_proxy(self.flags))


def requests_file(folder: Path, stream: str) -> Path:
    """Where the requests of `stream` are recorded."""
    return folder / f"requests-{stream}.jsonl"
