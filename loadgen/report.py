"""Judges whether a load was what was asked for. If it was not, nothing can be concluded about the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fixtures.core.errors import FiredampError
from fixtures.core.shares import percent
from loadgen.offsets import MOST_OFFSET_S
from loadgen.plan import LoadPlan
from loadgen.queries import counted, errors, late
from loadgen.records import LATE_MS, Request
from loadgen.requests import Requests
from loadgen.statistics import Share
from loadgen.status import Status, cpu_peak, silence, worker_silence

MOST_CPU = 0.9
# The load generator writes a status every 0.25 s. Without one for this long, it hangs or gets no CPU.
SILENCE_S = 3.0
# A load may be behind its schedule for a tenth of its time.
_MOST_OFF = 0.1
# Other machines on the same host may stop a virtual machine for most of a second. A short load may lose a
# fifth of its time in this way: at least half a second and at most a second. Whether enough requests are left
# for a verdict is decided by the verdict.
_STALL_S = (0.5, 1.0)
_MOST_STALLED = 0.2
# Clocks are compared when a load begins and when it has ended.
_MEASURED = 2


class InvalidLoadError(FiredampError):
    """The load was not what was asked for, so it proves nothing about the product, good or bad."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(f"invalid load run (the load's fault, never the product's): {why}", hint=hint)


@dataclass(frozen=True)
class StreamReport:
    """The totals of one stream.

    Attributes:
        due: Requests that were due.
        sent: Requests that were sent.
        missing: Requests that were not sent, without those so close to the end that a stall excuses them.
        starved: Requests that were sent late although a client was free.
    """

    due: int
    sent: int
    missing: int
    starved: int


@dataclass(frozen=True)
class RunReport:
    """The totals of a load.

    Attributes:
        seconds: How long the schedules ran.
        streams: The totals of each stream, by its name.
        unrecorded: Requests that were sent, but have no record.
        late: Share of the requests that were sent more than `LATE_MS` after their intended time.
        silence: The longest time between two statuses of the load generator, in seconds.
        cpu: The highest CPU usage of the load generator over 5 s, as a share of one core.
        errors: Number of failed requests by the reason of the failure.
    """

    seconds: float
    streams: dict[str, StreamReport]
    unrecorded: int
    late: Share
    silence: float
    cpu: float
    errors: Counter[str]

    @property
    def due(self) -> int:
        """Requests that were due, in all streams."""
        return sum(stream.due for stream in self.streams.values())

    @property
    def sent(self) -> int:
        """Requests that were sent and recorded, in all streams."""
        return sum(stream.sent for stream in self.streams.values())

    @property
    def starved(self) -> int:
        """Requests that the load generator itself sent late, because a client was free; in all streams."""
        return sum(stream.starved for stream in self.streams.values())

    @property
    def rate(self) -> float:
        """Requests sent per second, in all streams together."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        late_share = f" ({percent(self.late.value)}%, n={self.late.n:,})" if self.late.n else ""
        why = f", {self.starved:,} of them although a client was free" if self.late.k else ""
        # Without a duration, a rate has no meaning.
        rate = f" ({self.rate:.1f}/s)" if round(self.seconds, 1) else ""
        return (
            f"{self.sent:,} of {self.due:,} requests sent in {self.seconds:.1f} s{rate}, "
            f"{self.late.k:,} late by more than {LATE_MS:g} ms{late_share}{why}, "
            f"failed: {counted(self.errors)}, load generator's CPU at most {percent(self.cpu)}% of a core"
        )


def require_workers(statuses: Sequence[Status], context: str, *, has_ended: bool = False) -> None:
    """Refuse a distributed load of which a worker was lost, or whose clocks differ.

    Args:
        statuses: The statuses of the load so far.
        context: What else the error says.
        has_ended: Whether the load is over, so that each worker must have sent all its records.

    Raises:
        InvalidLoadError: A worker was lost, was silent, or has another clock; the text names it.
    """
    workers = statuses[-1].workers if statuses else {}
    for name, worker in workers.items():
        if worker.state == "foreign":
            hint = "something else on this machine or in this cluster knows the port; look for it"
            raise InvalidLoadError(f"{name} is a worker that this run has not started; {context}", hint=hint)
        for offset in worker.offsets:
            if not offset.is_acceptable:
                most = f"{MOST_OFFSET_S * 1000:g} ms"
                why = f"the clock of {name} differs from the harness's by {offset}, and {most} may be"
                hint = "synchronize the clocks of the machines (NTP), or take workers on one machine"
                raise InvalidLoadError(f"{why}; {context}", hint=hint)
        if worker.state == "lost" or (has_ended and worker.state != "ended"):
            why = f"{name} was lost after {worker.sent:,} requests, and so were requests of its part"
            raise InvalidLoadError(f"{why}; {context}", hint=f"see the log of {name}")
        if has_ended and len(worker.offsets) < _MEASURED:
            raise InvalidLoadError(f"the clock of {name} was not compared at the end; {context}")
    silent, name = worker_silence(statuses)
    if silent > SILENCE_S:
        raise InvalidLoadError(f"{name} was silent for {silent:.1f} s: stuck, stopped or starved; {context}")


def make_report(plan: LoadPlan, statuses: Sequence[Status], requests: Iterable[Request]) -> RunReport:
    """Sum up a load from its plan, the statuses of the load generator and the recorded requests."""
    columns = Requests.of(requests)
    seconds = statuses[-1].until - statuses[-1].began if statuses else 0.0
    sent = {stream.name: columns.stream(stream.name) for stream in plan.streams}
    starved = {name: int(np.count_nonzero(mine.having("free", True))) for name, mine in sent.items()}
    sent_by_status = sum(statuses[-1].sent.values()) if statuses else 0
    return RunReport(
        seconds=min(seconds, plan.duration),
        streams=_streams(plan, seconds, {name: len(mine) for name, mine in sent.items()}, starved),
        unrecorded=max(sent_by_status - len(columns), 0),
        late=Share(len(late(columns)), len(columns)),
        silence=silence(statuses),
        cpu=cpu_peak(statuses),
        errors=errors(columns),
    )


def judge(report: RunReport) -> None:
    """Check that a load that has ended was what was asked for.

    Raises:
        InvalidLoadError: The load generator was silent or short of CPU, records were lost, or a stream sent
            nothing, too little, or too much of it late although clients were free.
    """
    if report.unrecorded:
        raise InvalidLoadError(f"{report.unrecorded:,} requests were sent but not recorded; {report}")
    _require_cpu(report.cpu, str(report))
    _require_statuses(report.silence, str(report))
    for name, stream in report.streams.items():
        if stream.sent == 0:
            hint = "see the load generator's log"
            raise InvalidLoadError(f"stream {name}: no request was sent; {report}", hint=hint)
    _require_schedule(report.streams, report.seconds, str(report))


def judge_so_far(plan: LoadPlan, statuses: Sequence[Status], now: float) -> None:
    """Check that a load that is still running is what was asked for.

    Args:
        plan: What was asked for.
        statuses: All statuses of the load generator so far; at least one.
        now: When they were read, in Unix seconds.

    Raises:
        InvalidLoadError: The load generator is or was silent, was short of CPU, or a stream sent too little
            of what was due, or too much of it late although clients were free.
    """
    last = statuses[-1]
    seconds = last.until - last.began
    context = f"{seconds:.1f} s into the run"
    require_workers(statuses, context)
    _require_cpu(cpu_peak(statuses), context)
    _require_statuses(max(silence(statuses), now - last.t), context)
    _require_schedule(_streams(plan, seconds, last.sent, last.starved), seconds, context)


def _streams(
    plan: LoadPlan, seconds: float, sent: Mapping[str, int], starved: Mapping[str, int]
) -> dict[str, StreamReport]:
    return {
        stream.name: StreamReport(
            due=stream.shape.due(seconds),
            sent=sent.get(stream.name, 0),
            missing=max(stream.shape.due(seconds - _excused(seconds)) - sent.get(stream.name, 0), 0),
            starved=starved.get(stream.name, 0),
        )
        for stream in plan.streams
    }


def _excused(seconds: float) -> float:
    """For how many of its seconds a load may have been behind its schedule."""
    least, most = _STALL_S
    return max(_MOST_OFF * seconds, min(max(_MOST_STALLED * seconds, least), most))


def _require_cpu(cpu: float, context: str) -> None:
    """Refuse a load that was short of CPU. Checked before the rate, because a low rate is a consequence."""
    if cpu > MOST_CPU:
        hint = "lower the rate, or give the machine more cores"
        raise InvalidLoadError(f"the load generator used {percent(cpu)}% of a core; {context}", hint=hint)


def _require_statuses(silent: float, context: str) -> None:
    if silent > SILENCE_S:
        raise InvalidLoadError(
            f"the load generator has been silent for {silent:.1f} s: stuck, stopped or starved; {context}"
        )


def _require_schedule(streams: Mapping[str, StreamReport], seconds: float, context: str) -> None:
    excused = _excused(seconds)
    for name, stream in streams.items():
        if stream.missing:
            counts = f"only {stream.sent:,} of {stream.due:,} requests were sent"
            share = f"{percent(stream.sent / stream.due)}%; it may be {excused:.1f} s behind its schedule"
            hint = (
                "if answers stalled, all users were waiting: give the stream more users or a shorter timeout"
            )
            raise InvalidLoadError(f"stream {name}: {counts} ({share}); {context}", hint=hint)
        if stream.starved * seconds > stream.due * excused:
            counts = (
                f"{stream.starved:,} of {stream.sent:,} requests were sent late although a client was free"
            )
            share = f"{percent(stream.starved / stream.sent)}%; {percent(excused / seconds)}% may be"
            hint = "the load generator was short of CPU: lower the rate, or run less beside it"
            raise InvalidLoadError(f"stream {name}: {counts} ({share}); {context}", hint=hint)
