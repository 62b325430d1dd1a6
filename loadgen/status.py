"""How the load generator says, four times a second, how its run stands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fixtures.core.record import Count, Record, Time, read_records

_WINDOW_S = 5.0


class Status(Record, frozen=True, kw_only=True, tag="load"):
    """One look at the run; times are unix seconds.

    Attributes:
        t: Now.
        began: Time zero of the schedules.
        until: Up to when requests were asked for: now, or the moment the run was stopped.
        sent: Requests sent, under way or done, by stream.
        starved: How many of them were sent late although a client was free, by stream.
        cpu_s: Processor time that the load generator's process has used, in seconds, as psutil would say;
            Locust's own warning looks every 5 s and is blind for the first 10, so is not used.
    """

    began: Time
    until: Time
    sent: dict[str, Count]
    starved: dict[str, Count]
    cpu_s: Annotated[float, Meta(ge=0)]


def status_file(folder: Path, streams: Sequence[str]) -> Path:
    """Where the run of these streams says how it stands."""
    return folder / f"load-{'-'.join(streams)}.jsonl"


def read_statuses(path: Path) -> list[Status]:
    """Return all looks at the run so far, oldest first; none when it has not begun."""
    if not path.exists():
        return []
    return read_records(path, Status)[0]


def silence(statuses: Sequence[Status]) -> float:
    """Return the longest time, in seconds, in which a run said nothing while requests were asked for."""
    pairs = pairwise(statuses)
    return max((after.t - before.t for before, after in pairs if before.t < statuses[-1].until), default=0.0)


def cpu_peak(statuses: Sequence[Status]) -> float:
    """Return the most processor time used per second over any five seconds, as a share of one core.

    A run shorter than that is judged as a whole; 0 when there are not two looks.
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
