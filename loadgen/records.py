"""What each request was and got, as one record, and the file that has the records of a stream of load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Record, Time


class Request(Record, frozen=True, kw_only=True, gc=False, tag="request"):
    """One request as its client saw it; all times are unix seconds of one clock.

    Attributes:
        t: When it was sent.
        intended: When the schedule wanted it sent; later than that by more than a little is "late".
        received: When its answer was complete, or given up.
        latency_ms: `received - intended`, what a user who came at the intended time had to wait.
        service_ms: `received - t`.
        status: HTTP status, 0 when there was no answer.
        version: The answer's `x-version`.
        pod: The answer's `x-pod`.
        host: The Host header sent.
        path: The path asked for.
        stream: The stream of load that it belongs to.
        reused: Whether it went over a connection that an earlier request had opened.
        error: Why there was no complete answer.
        free: Of a request sent late (`loadgen.queries.LATE_MS`): whether a client was free when it was due.
            If one was, the load generator itself was late; if none was, all of them waited for answers. None
            if it was sent in time.
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
        """Whether its client was let down: no complete answer, or a status of 400 and above."""
        return self.error is not None or not 200 <= self.status < 400


def requests_file(folder: Path, stream: str) -> Path:
    """Where the requests of `stream` are recorded."""
    return folder / f"requests-{stream}.jsonl"
