"""The load generator's books: which requests are due, under way and done, and the files that say so.

Runs in Locust's process; its greenlets all run in one thread, so nothing here is locked.
"""

from __future__ import annotations

import random
import time
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from fixtures.core.clock import Epoch
from fixtures.core.record import to_line
from loadgen.message import Message
from loadgen.plan import LoadPlan, PlannedStream
from loadgen.queries import LATE_MS
from loadgen.records import Request, requests_file
from loadgen.status import Status, status_file


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: nothing by default."""

    status: int = 0
    version: str | None = None
    pod: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request under way; times are monotonic seconds, and `free` is that of its record."""

    due: float
    sent: float
    path: str
    host: str
    free: bool | None


class StreamLedger:
    """The books of one stream; the times of its records are counted from `epoch`."""

    def __init__(self, stream: PlannedStream, folder: Path, epoch: Epoch) -> None:
        self.name = stream.name
        self.users = stream.users
        self.sent = 0
        self.starved = 0
        self._messages = stream.messages()
        self._weights = [call.weight for call in stream.calls]
        # Seeded by the stream, so that a run can be repeated.
        self._random = random.Random(stream.name)  # noqa: S311
        self._schedule = stream.shape.send_times()
        self._epoch = epoch
        self._began = 0.0
        self._open = True
        # Monotonic seconds, both ascending.
        self._sent_at, self._ended_at = array("d"), array("d")
        self._lines: list[bytes] = []
        self._file = requests_file(folder, stream.name).open("xb", buffering=0)

    def begin_schedule(self, now: float) -> None:
        """Let the schedule's time zero be `now` (monotonic seconds)."""
        self._began = now

    def end_schedule(self) -> None:
        """Hand out no more send times."""
        self._open = False

    def claim(self) -> float | None:
        """Return the next unclaimed send time (monotonic seconds), or nothing when there is none."""
        offset = next(self._schedule, None) if self._open else None
        return None if offset is None else self._began + offset

    def choose(self) -> Message:
        """Draw a request from the mix."""
        if len(self._messages) == 1:
            return self._messages[0]
        return self._random.choices(self._messages, self._weights)[0]

    def begin(self, due: float, message: Message) -> Attempt:
        """Note that a request is being sent."""
        now = time.monotonic()
        free = self._had_free_client(due) if (now - due) * 1000 > LATE_MS else None
        self.sent += 1
        self.starved += free is True
        self._sent_at.append(now)
        return Attempt(due, now, message.path, message.host, free)

    def end(self, attempt: Attempt, answer: Answer, *, reused: bool) -> None:
        """Record what became of a request."""
        received = time.monotonic()
        self._ended_at.append(received)
        request = Request(
            t=round(self._epoch.at(attempt.sent), 6),
            intended=round(self._epoch.at(attempt.due), 6),
            received=round(self._epoch.at(received), 6),
            latency_ms=round((received - attempt.due) * 1000, 3),
            service_ms=round((received - attempt.sent) * 1000, 3),
            status=answer.status,
            version=answer.version,
            pod=answer.pod,
            host=attempt.host,
            path=attempt.path,
            stream=self.name,
            reused=reused,
            error=answer.error,
            free=attempt.free,
        )
        self._lines.append(to_line(request))

    def _had_free_client(self, moment: float) -> bool:
        """Whether fewer requests were under way at a moment of the past than there are clients."""
        under_way = bisect_right(self._sent_at, moment) - bisect_right(self._ended_at, moment)
        return under_way < self.users

    def flush(self) -> None:
        """Write what was recorded since the last time, in one system call."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._file.write(b"".join(lines))

    def close(self) -> None:
        """Close the record file."""
        self._file.close()


class Ledger:
    """The books of the whole run."""

    def __init__(self, plan: LoadPlan, folder: Path) -> None:
        # Not this process's own: records of other processes are compared with these.
        self._epoch = plan.epoch
        self.streams = [StreamLedger(stream, folder, plan.epoch) for stream in plan.streams]
        self._file = status_file(folder, [stream.name for stream in plan.streams]).open("xb", buffering=0)
        self._began: float | None = None
        self._ended: float | None = None

    def begin_schedule(self) -> None:
        """Start all streams' schedules now."""
        self._began = time.monotonic()
        for stream in self.streams:
            stream.begin_schedule(self._began)

    def end_schedule(self) -> None:
        """Stop asking for requests; those under way are still recorded."""
        if self._ended is None:
            self._ended = time.monotonic()
        for stream in self.streams:
            stream.end_schedule()

    @property
    def stopped(self) -> bool:
        """Whether the schedules were ended before their time."""
        return self._ended is not None

    def flush(self) -> None:
        """Write all requests recorded since the last time."""
        for stream in self.streams:
            stream.flush()

    def close(self) -> None:
        """Write the last of it."""
        self.report()
        for stream in self.streams:
            stream.close()
        self._file.close()

    def report(self) -> None:
        """Write how the run stands, and all requests recorded since the last time."""
        if self._began is not None:
            self._file.write(to_line(self._status(self._began)))
        self.flush()

    def _status(self, began: float) -> Status:
        now = time.monotonic()
        return Status(
            t=self._epoch.at(now),
            began=self._epoch.at(began),
            until=self._epoch.at(self._ended or now),
            sent={stream.name: stream.sent for stream in self.streams},
            starved={stream.name: stream.starved for stream in self.streams},
            cpu_s=time.process_time(),
        )
