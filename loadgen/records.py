"""What each request was and got, one JSON line each, and reading those lines while they are being written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Record, Time, read_records
from fixtures.core.retry import PendingError, until


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
        lane: The stream of load that it belongs to.
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
    lane: str
    reused: bool
    error: str | None
    free: bool | None

    @property
    def failed(self) -> bool:
        """Whether its client was let down: no complete answer, or a status of 400 and above."""
        return self.error is not None or not 200 <= self.status < 400

    @property
    def late_ms(self) -> float:
        """How long after its intended time it was sent, in milliseconds."""
        return (self.t - self.intended) * 1000


def requests_file(folder: Path, lane: str) -> Path:
    """Where the requests of `lane` are recorded."""
    return folder / f"requests-{lane}.jsonl"


class Tail:
    """The requests that are recorded from now on, for assertions while the load runs.

    The load generator writes every 50 ms, so a look at the files' sizes each
    20 ms (a microsecond each) is as quick as any notification, and cheaper to own.
    """

    def __init__(self, *paths: Path, from_start: bool = False) -> None:
        self._offsets = {path: 0 if from_start else _end_of_last_line(path) for path in paths}

    def read(self) -> list[Request]:
        """Return the requests recorded since the last call, by the time sent; maybe none.

        Raises:
            CorruptRecordError: A complete line is not a request.
        """
        found: list[Request] = []
        for path, offset in self._offsets.items():
            if _size(path) > offset:
                requests, self._offsets[path] = read_records(path, Request, offset=offset)
                found += requests
        return sorted(found, key=lambda request: request.t)

    def wait(self, timeout: float) -> list[Request]:
        """Return the next requests, at least one, as soon as they are recorded.

        Raises:
            ConditionNotMetError: None was recorded within `timeout` seconds.
            CorruptRecordError: A complete line is not a request.
        """
        return until(self._some, what="a request recorded", timeout=timeout, interval=0.02)

    def _some(self) -> list[Request]:
        requests = self.read()
        if not requests:
            raise PendingError("no new line in " + ", ".join(path.name for path in self._offsets))
        return requests


def _end_of_last_line(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - called 50 times a second, and three times as quick
    except FileNotFoundError:
        return 0
