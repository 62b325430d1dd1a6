"""The status that the load generator writes to a file four times a second."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Count, Record, Time, read_records

_WINDOW_S = 5.0


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
    """

    began: Time
    until: Time
    sent: dict[str, Count]
    starved: dict[str, Count]
    cpu_s: Annotated[float, Meta(ge=0)]


def status_file(folder: Path, streams: Sequence[str]) -> Path:
    """Return the path of the status file of a load with these streams."""
    return folder / f"load-{'-'.join(streams)}.jsonl"


def read_statuses(path: Path) -> list[Status]:
    """Return all statuses of a load so far, oldest first; none if it has not begun."""
    if not path.exists():
        return []
    return read_records(path, Status)[0]


def silence(statuses: Sequence[Status]) -> float:
    """Return the longest time in seconds between two statuses, the first of them before the load's end."""
    pairs = pairwise(statuses)
    return max((after.t - before.t for before, after in pairs if before.t < statuses[-1].until), default=0.0)


def cpu_peak(statuses: Sequence[Status]) -> float:
    """Return the most processor time used per second over any five seconds, as a share of one core.

    For a load shorter than five seconds it is the average of the whole load; 0 if there are not two statuses.
    """
    peak, first = 0.0, 0
    for last in range(1, len(statuses)):
        while statuses[last].t - statuses[first + 1].t >= _WINDOW_S:
            first += 1
        seconds = statuses[last].t - statuses[first].t
        whole = seconds >= _WINDOW_S or last == len(statuses) - 1
        if seconds > 0 and whole:
            peak = max(peak, (statuses[last].cpu_s - statuses[first].cpu_s) / seconds)
    return peak
