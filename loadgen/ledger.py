"""Keeps track of the requests of a load (due, sent, answered) and writes them and the status to outlets.

It runs in Locust's process. All greenlets run in one thread, so no locks are needed.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from fixtures.core.clock import Epoch
from fixtures.core.record import to_line
from loadgen.division import WHOLE, Part
from loadgen.message import Message
from loadgen.mix import Mix
from loadgen.plan import LoadPlan, PlannedStream
from loadgen.records import LATE_MS, Request, requests_file
from loadgen.status import Status, status_file


class Outlet(Protocol):
    """Where lines go: a file, or what sends them to another process."""

    def write(self, data: bytes, /) -> object:
        """Take whole lines."""

    def close(self) -> None:
        """There are no more lines."""


class Due(NamedTuple):
    """A request of the schedule.

    Attributes:
        at: When it should be sent, in monotonic seconds.
        message: What is to be sent.
    """

    at: float
    message: Message


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request; by default there was none.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        claimed: The header `x-version`.
        claimed_pod: The header `x-pod`.
        error: Why there was no complete answer; None if there was one.
        upstream: See `loadgen.records.Request`.
        flags: See `loadgen.records.Request`.
    """

    status: int = 0
    claimed: str | None = None
    claimed_pod: str | None = None
    error: str | None = None
    upstream: str | None = None
    flags: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that was sent and not yet answered; times are monotonic seconds.

    Attributes:
        due: When it should be sent by the schedule.
        sent: When it was sent.
        path: The path asked for.
        host: The Host header.
        free: See `loadgen.records.Request`.
    """

    due: float
    sent: float
    path: str
    host: str
    free: bool | None


class StreamLedger:
    """The schedule, the counters and the records of one stream.

    Attributes:
        name: The name of the stream.
        users: How many clients it has.
        sent: How many requests were sent.
        starved: How many of them were sent late although a client was free.
    """

    def __init__(self, stream: PlannedStream, outlet: Outlet, epoch: Epoch) -> None:
        self.name = stream.name
        self.users = stream.users
        self.sent = 0
        self.starved = 0
        self._stream = stream
        # Seeded with the stream's name, so that each run draws the same sequence of requests.
        self._mix = Mix(stream.name, stream.messages(), [call.weight for call in stream.calls])
        self._schedule = WHOLE.send_times(stream.shape)
        self._epoch = epoch
        self._began = 0.0
        self._open = True
        # The times at which requests were sent and at which they ended, in monotonic seconds, ascending.
        self._sent_at, self._ended_at = array("d"), array("d")
        self._lines: list[bytes] = []
        self._outlet = outlet

    def begin_schedule(self, now: float, part: Part = WHOLE, epoch: Epoch | None = None) -> None:
        """Start the schedule at the time `now` (monotonic seconds).

        Args:
            now: When it starts.
            part: The part of the schedule that is sent from here.
            epoch: The clock of the records, if it is not that of the plan.
        """
        self._began = now
        self._epoch = epoch or self._epoch
        self._schedule = part.send_times(self._stream.shape)
        self.users = part.users(self._stream.users)

    def end_schedule(self) -> None:
        """End the schedule: `claim` returns no more requests."""
        self._open = False

    @property
    def is_over(self) -> bool:
        """Whether `end_schedule` was called."""
        return not self._open

    def claim(self) -> Due | None:
        """Return the next request that no user has claimed; None if there is none."""
        following = next(self._schedule, None) if self._open else None
        if following is None:
            return None
        number, offset = following
        return Due(self._began + offset, self.message(number))

    def message(self, number: int) -> Message:
        """Return what request number `number` (counted from 0) asks for, by the weights of the calls."""
        return self._mix[number]

    def begin(self, due: float, message: Message) -> Attempt:
        """Note that a request that was due at `due` is now sent."""
        now = time.monotonic()
        free = self._had_free_client(due) if (now - due) * 1000 > LATE_MS else None
        self.sent += 1
        self.starved += free is True
        self._sent_at.append(now)
        return Attempt(due, now, message.path, message.host, free)

    def end(self, attempt: Attempt, answer: Answer, *, reused: bool) -> None:
        """Make the record of a request that has been answered or has failed; `flush` writes it."""
        received = time.monotonic()
        self._ended_at.append(received)
        # If the gateway does not tell who answered, what the app says is all that there is.
        is_told = answer.upstream is not None or answer.flags is not None
        request = Request(
            t=round(self._epoch.at(attempt.sent), 6),
            intended=round(self._epoch.at(attempt.due), 6),
            received=round(self._epoch.at(received), 6),
            latency_ms=round((received - attempt.due) * 1000, 3),
            service_ms=round((received - attempt.sent) * 1000, 3),
            status=answer.status,
            host=attempt.host,
            path=attempt.path,
            stream=self.name,
            reused=reused,
            error=answer.error,
            free=attempt.free,
            version=None if is_told else answer.claimed,
            pod=None if is_told else answer.claimed_pod,
            upstream=answer.upstream,
            flags=answer.flags,
            claimed=answer.claimed,
            claimed_pod=answer.claimed_pod,
        )
        self._lines.append(to_line(request))

    def _had_free_client(self, moment: float) -> bool:
        """Whether a client was free at a past moment: there were fewer unanswered requests than clients."""
        unanswered = bisect_right(self._sent_at, moment) - bisect_right(self._ended_at, moment)
        return unanswered < self.users

    def flush(self) -> None:
        """Write all records that were made since the last call, at once."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._outlet.write(b"".join(lines))

    def close(self) -> None:
        """Close the outlet."""
        self._outlet.close()


class Ledger:
    """The streams of a load, and its status.

    Attributes:
        streams: The ledger of each stream.
    """

    def __init__(self, plan: LoadPlan, requests: Callable[[str], Outlet], statuses: Outlet) -> None:
        """Prepare to keep a load's books.

        Args:
            plan: What is asked for.
            requests: Returns the outlet of the records of a stream.
            statuses: The outlet of statuses.
        """
        # The epoch of the plan, because these records are compared with those of other processes.
        self._epoch = plan.epoch
        self.streams = [StreamLedger(stream, requests(stream.name), plan.epoch) for stream in plan.streams]
        self._statuses = statuses
        self._began: float | None = None
        self._ended: float | None = None

    def begin_schedule(self, at: float | None = None, part: Part = WHOLE, epoch: Epoch | None = None) -> None:
        """Start the schedules of all streams: now, or at a moment of CLOCK_MONOTONIC (in seconds)."""
        self._began = time.monotonic() if at is None else at
        self._epoch = epoch or self._epoch
        for stream in self.streams:
            stream.begin_schedule(self._began, part, epoch)

    def end_schedule(self) -> None:
        """End the schedules of all streams; requests that were already sent are still recorded."""
        if self._ended is None:
            self._ended = time.monotonic()
        for stream in self.streams:
            stream.end_schedule()

    def stream(self, name: str) -> StreamLedger:
        """The ledger of the stream with this name."""
        return next(each for each in self.streams if each.name == name)

    @property
    def stopped(self) -> bool:
        """Whether `end_schedule` was called."""
        return self._ended is not None

    def flush(self) -> None:
        """Write all records of requests that were made since the last call."""
        for stream in self.streams:
            stream.flush()

    def close(self) -> None:
        """Write the last status and the last records, and close the outlets."""
        self.report()
        for stream in self.streams:
            stream.close()
        self._statuses.close()

    def report(self) -> None:
        """Write a status, and all records of requests that were made since the last call."""
        if self._began is not None:
            self._statuses.write(to_line(self._status(self._began)))
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


def in_folder(plan: LoadPlan, folder: Path) -> Ledger:
    """Return the ledger of a load that writes its files itself.

    Raises:
        FileExistsError: There are records of a stream in the folder already.
    """
    return Ledger(plan, partial(requests_outlet, folder), status_outlet(plan, folder))


def requests_outlet(folder: Path, stream: str) -> Outlet:
    """Open the file of a stream's records, which must not exist; each write is one system call."""
    return requests_file(folder, stream).open("xb", buffering=0)


def status_outlet(plan: LoadPlan, folder: Path) -> Outlet:
    """Open the file of the load's statuses, which must not exist; each write is one system call."""
    return status_file(folder, [stream.name for stream in plan.streams]).open("xb", buffering=0)
