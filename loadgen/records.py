"""What each request was and got, one JSON line each, and reading those lines while they are being written."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from fixtures.core.documents.json_lines import parse_line
from fixtures.core.errors import ConditionNotMetError, FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.core.schema import shaped
from fixtures.core.text import quoted

HINT = "the file was changed or is of another version; run the load again"
# Unix seconds, until a time that nobody lives to see.
Time = Annotated[float, Meta(ge=0, le=1e11)]


class CorruptRecordError(FiredampError):
    """A complete line of a record file is not what was written there."""


@dataclass(frozen=True, slots=True)
class Request:
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

    t: Time
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


_FIELDS = tuple(field.name for field in fields(Request))
# Made once: `json.dumps` makes one per line.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def requests_file(folder: Path, lane: str) -> Path:
    """Where the requests of `lane` are recorded."""
    return folder / f"requests-{lane}.jsonl"


def to_line(request: Request) -> str:
    """Return the JSON line of `request`, with its newline."""
    row = {"t": request.t, "kind": "request"} | {name: getattr(request, name) for name in _FIELDS}
    return _encode(row) + "\n"


def read_requests(*paths: Path) -> list[Request]:
    """Return all requests recorded in `paths`, by the time sent; a half-written last line is left out.

    Raises:
        CorruptRecordError: A complete line is not a request.
        FileNotFoundError: A file does not exist.
    """
    found = [request for path in paths for request in _requests(path, 0)[0]]
    return sorted(found, key=lambda request: request.t)


def read_rows(path: Path, offset: int = 0) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """Return the complete JSON lines of `path` from byte `offset` on with their offsets, and where they end.

    Raises:
        CorruptRecordError: A complete line is not a JSON object.
    """
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    rows = []
    for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
        rows.append((offset, _object(path, offset, line)))
        offset += len(line)
    return rows, offset


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
                requests, self._offsets[path] = _requests(path, offset)
                found += requests
        return sorted(found, key=lambda request: request.t)

    def wait(self, timeout: float) -> list[Request]:
        """Return the next requests, at least one, as soon as they are recorded.

        Raises:
            ConditionNotMetError: None was recorded within `timeout` seconds.
            CorruptRecordError: A complete line is not a request.
        """
        return until(self._some, what="a request recorded", timeout=timeout, interval=0.02)

    def follow(self, seconds: float, *, silence: float = 5.0) -> Iterator[list[Request]]:
        """Yield requests in batches as they are recorded, for `seconds` seconds.

        Raises:
            ConditionNotMetError: The load was silent for `silence` seconds: there is nothing to judge.
            CorruptRecordError: A complete line is not a request.
        """
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                batch = self.wait(min(left, silence))
            except ConditionNotMetError:
                if left <= silence:
                    return
                raise
            yield batch

    def _some(self) -> list[Request]:
        requests = self.read()
        if not requests:
            raise PendingError("no new line in " + ", ".join(path.name for path in self._offsets))
        return requests


def _requests(path: Path, offset: int) -> tuple[list[Request], int]:
    rows, end = read_rows(path, offset)
    return [_request(path, at, row) for at, row in rows], end


def _request(path: Path, offset: int, row: dict[str, Any]) -> Request:
    where = f"{path}, byte {offset}"
    if row.get("kind") != "request":
        message = f"{where}: not a request, because its kind is {quoted(row.get('kind'))}"
        raise CorruptRecordError(message, hint=HINT)
    try:
        return shaped(row, Request, f"{where}: not a request", hint=HINT)
    except FiredampError as error:
        raise CorruptRecordError(error.message, hint=error.hint) from error


def _object(path: Path, offset: int, line: bytes) -> dict[str, Any]:
    try:
        return parse_line(line, f"{path}, byte {offset}")
    except FiredampError as error:
        raise CorruptRecordError(error.message, hint=error.hint) from error


def _end_of_last_line(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - called 50 times a second, and three times as quick
    except FileNotFoundError:
        return 0
