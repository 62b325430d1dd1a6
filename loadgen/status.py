"""The status that the load generator writes to a file four times a second."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from fixtures.core.record import Count, Record, Time, read_records
from loadgen.offsets import Offset
from loadgen.records import requests_file

_WINDOW_S = 5.0

WorkerState = Literal["running", "ended", "lost", "foreign"]


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last that the master of a distributed load knew of one of its workers.

    Attributes:
        t: When the worker said so, in Unix seconds.
        sent: Number of requests that it has sent, in all streams together.
        cpu_s: Processor time that it has used, in seconds; 0 before it has said anything.
        state: `running`; `ended` if it has sent all its requests and records; `lost` if it does not answer
            any more, or has ended too early; `foreign` if this run has not started it.
        offsets: By how much its clock was ahead of the master's: when the load began, and when it had ended.
    """

    t: Time
    sent: Count = 0
    cpu_s: Annotated[float, Meta(ge=0)] = 0.0
    state: WorkerState = "running"
    offsets: tuple[Offset, ...] = ()


class Status(Record, frozen=True, kw_only=True, tag="load"):
    """The status of a load at one moment; times are Unix seconds.

    Attributes:
        t: When the status was written.
        began: When the schedules of all streams began.
        until: The end of the schedule so far: the same as `t`, or when the load was stopped.
        sent: Number of requests sent, whether or not they were answered yet, by stream.
        starved: Number of requests that were sent late although a client was free, by stream.
        cpu_s: Processor time that the load generator's process has used, in seconds. Locust's own warning is
            not used, because it measures every 5 s only and not at all in the first 10 s.
        workers: The workers of a distributed load, by name. `sent` and `starved` are then their sums, and
            `cpu_s` is that of the master alone.
    """

    began: Time
    until: Time
    sent: dict[str, Count]
    starved: dict[str, Count]
    cpu_s: Annotated[float, Meta(ge=0)]
    workers: dict[str, WorkerStatus] = {}  # noqa: RUF012 - each record has its own


def status_file(folder: Path, streams: Sequence[str]) -> Path:
    """Return the path of the status file of a load with these streams."""
    return folder / f"load-{'-'.join(streams)}.jsonl"


def files_of(folder: Path, streams: Sequence[str]) -> list[Path]:
    """Return the paths of all files of a load: the records of each stream, and the statuses."""
    return [*(requests_file(folder, name) for name in streams), status_file(folder, streams)]


def read_statuses(path: Path) -> list[Status]:
    """Return all statuses of a load so far, oldest first; none if it has not begun."""
    if not path.exists():
        return []
    return read_records(path, Status)[0]


def silence(statuses: Sequence[Status]) -> float:
    """Return the longest time in seconds between two statuses, the first of them before the load's end."""
    pairs = pairwise(statuses)
    return max((after.t - before.t for before, after in pairs if before.t < statuses[-1].until), default=0.0)


def worker_silence(statuses: Sequence[Status]) -> tuple[float, str]:
    """Return for how long a worker has said nothing, in seconds, and its name; 0 and "" without workers."""
    silent = [
        (status.t - worker.t, name)
        for status in statuses
        for name, worker in status.workers.items()
        if worker.state != "ended"
    ]
    return max(silent, default=(0.0, ""))


def cpu_peak(statuses: Sequence[Status]) -> float:
    """Return the most processor time used per second over any five seconds, as a share of one core.

    For a load shorter than five seconds it is the average of the whole load; 0 if there are not two statuses.
    Of a distributed load, it is that of the process which used most.
    """
    series = [[_Used(status.t, status.cpu_s) for status in statuses]]
    for name in statuses[-1].workers if statuses else ():
        told = [status.workers[name] for status in statuses if name in status.workers]
        # Until its first status, nothing is known of a worker, which has used much to start.
        told = [worker for worker in told if worker.cpu_s]
        # The master repeats what it knows until the worker says something new.
        series.append([_Used(t, cpu_s) for t, cpu_s in {worker.t: worker.cpu_s for worker in told}.items()])
    return max(map(_peak, series))


class _Used(NamedTuple):
    """Processor time that a process has used by a moment, both in seconds."""

    t: float
    cpu_s: float


def _peak(used: Sequence[_Used]) -> float:
    peak, first = 0.0, 0
    for last in range(1, len(used)):
        while used[last].t - used[first + 1].t >= _WINDOW_S:
            first += 1
        seconds = used[last].t - used[first].t
        whole = seconds >= _WINDOW_S or last == len(used) - 1
        if seconds > 0 and whole:
            peak = max(peak, (used[last].cpu_s - used[first].cpu_s) / seconds)
    return peak
