"""The record of one request and its answer, and the file that holds the records of a stream of load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Record, Time


class Request(Record, frozen=True, kw_only=True, gc=False, tag="request"):
    """One request as its client saw it; all times are Unix seconds of one clock.

    Attributes:
        t: When it was sent.
        intended: When it should be sent by the schedule; see `loadgen.queries.LATE_MS` for what is late.
        received: When its answer was complete, or when the client gave up.
        latency_ms: `received - intended`, in milliseconds: the wait of a user who comes at the intended time.
        service_ms: `received - t`, in milliseconds.
        status: HTTP status; 0 if there was no answer.
        version: The answer's `x-version`.
        pod: The answer's `x-pod`.
        host: The Host header sent.
        path: The path asked for.
        stream: The stream of load that it belongs to.
        reused: Whether it went over a connection that an earlier request had opened.
        error: Why there was no complete answer; None if there was one.
        free: For a request that was sent late: whether a client was free at its intended time. If so, the
            load generator itself was late; if not, all clients were waiting for answers. None for a request
            that was sent in time.
    """

    intended: Time
    received: Time
    latency_ms: float
    service_ms: float
    status: Annotated[int, Meta(ge=0, le=999)]
    version: str | None
    pod: str | None
    host: str
    path: str
    stream: str
    reused: bool
    error: str | None
    free: bool | None

    @property
    def failed(self) -> bool:
        """Whether there was no complete answer, or a status outside of 200 to 399."""
        return self.error is not None or not 200 <= self.status < 400


def requests_file(folder: Path, stream: str) -> Path:
    """Where the requests of `stream` are recorded."""
    return folder / f"requests-{stream}.jsonl"
