"""Whether a run of load was what was asked for; if not, it says nothing about the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fixtures.core.errors import FiredampError
from fixtures.core.shares import percent
from loadgen.plan import LoadPlan
from loadgen.queries import LATE_MS, counted, errors, late
from loadgen.records import Request
from loadgen.requests import Requests
from loadgen.statistics import Share
from loadgen.status import Status, cpu_peak, silence

MOST_CPU = 0.9
# The load generator reports every 0.25 s; silent for this long, it is stuck or starved.
SILENCE_S = 3.0
# A load may be off its schedule for a tenth of its time.
_MOST_OFF = 0.1
# Virtual machines are stopped for most of a second by what is beside them. A short run may lose a fifth of
# its time to that, half a second at least and a second at most. Whether there are enough requests for a
# verdict is for the verdict to say.
_STALL_S = (0.5, 1.0)
_MOST_STALLED = 0.2


class InvalidLoadError(FiredampError):
    """The load was not what was asked for. That is the load's fault and never the product's."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(f"invalid load run (the load's fault, never the product's): {why}", hint=hint)


@dataclass(frozen=True)
class StreamReport:
    """What one stream amounted to.

    Attributes:
        asked: Requests that were due.
        sent: Requests sent.
        missing: Requests that were not sent and were due so long before the end that no stall excuses it.
        starved: Requests sent late although a client was free.
    """

    asked: int
    sent: int
    missing: int
    starved: int


@dataclass(frozen=True)
class RunReport:
    """What a run of load amounted to.

    Attributes:
        seconds: How long requests were asked for.
        streams: Each stream by its name.
        unrecorded: Requests sent of which no record was found.
        late: Share of the requests sent later than `LATE_MS` after their intended time.
        silence: The longest time in seconds in which the load generator said nothing.
        cpu: The load generator's processor time at its highest (5 s windows), as a share of one core.
        errors: Failed requests by what happened.
    """

    seconds: float
    streams: dict[str, StreamReport]
    unrecorded: int
    late: Share
    silence: float
    cpu: float
    errors: Counter[str]

    @property
    def asked(self) -> int:
        """Requests that were due in that time, in all streams."""
        return sum(stream.asked for stream in self.streams.values())

    @property
    def sent(self) -> int:
        """Requests sent and recorded, in all streams."""
        return sum(stream.sent for stream in self.streams.values())

    @property
    def starved(self) -> int:
        """Requests sent late although a client was free, in all streams: the load generator's own fault."""
        return sum(stream.starved for stream in self.streams.values())

    @property
    def rate(self) -> float:
        """Requests sent per second, in all streams together."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        late_share = f" ({percent(self.late.value)}%, n={self.late.n:,})" if self.late.n else ""
        why = f", {self.starved:,} of them although a client was free" if self.late.k else ""
        # The rate of no time at all is not worth telling.
        rate = f" ({self.rate:.1f}/s)" if round(self.seconds, 1) else ""
        return (
            f"{self.sent:,} of {self.asked:,} requests sent in {self.seconds:.1f} s{rate}, "
            f"{self.late.k:,} late by more than {LATE_MS:g} ms{late_share}{why}, "
            f"failed: {counted(self.errors)}, load generator's CPU at most {percent(self.cpu)}% of a core"
        )


def make_report(plan: LoadPlan, statuses: Sequence[Status], requests: Iterable[Request]) -> RunReport:
    """Sum up a run from its plan, what the load generator said and what it recorded."""
    found = Requests.of(requests)
    seconds = statuses[-1].until - statuses[-1].began if statuses else 0.0
    sent = {stream.name: found.stream(stream.name) for stream in plan.streams}
    starved = {name: int(np.count_nonzero(mine.having("free", True))) for name, mine in sent.items()}
    said = sum(statuses[-1].sent.values()) if statuses else 0
    return RunReport(
        seconds=min(seconds, plan.duration),
        streams=_streams(plan, seconds, {name: len(mine) for name, mine in sent.items()}, starved),
        unrecorded=max(said - len(found), 0),
        late=Share(len(late(found)), len(found)),
        silence=silence(statuses),
        cpu=cpu_peak(statuses),
        errors=errors(found),
    )


def judge(report: RunReport) -> None:
    """Accept a finished run.

    Raises:
        InvalidLoadError: The load generator was silent or short of CPU, records were lost, or a stream sent
            nothing, too little, or too much of it late although clients were free.
    """
    if report.unrecorded:
        raise InvalidLoadError(f"{report.unrecorded:,} requests were sent but not recorded; {report}")
    _require_cpu(report.cpu, str(report))
    _require_signs(report.silence, str(report))
    for name, stream in report.streams.items():
        if stream.sent == 0:
            hint = "see the load generator's log"
            raise InvalidLoadError(f"stream {name}: no request was sent; {report}", hint=hint)
    _require_schedule(report.streams, report.seconds, str(report))


def judge_so_far(plan: LoadPlan, statuses: Sequence[Status], now: float) -> None:
    """Accept a run that goes on.

    Args:
        plan: What was asked for.
        statuses: What the load generator said so far, once at least.
        now: When that was looked up, in Unix seconds.

    Raises:
        InvalidLoadError: The load generator is or was silent, was short of CPU, or a stream sent too little
            of what was due, or too much of it late although clients were free.
    """
    last = statuses[-1]
    seconds = last.until - last.began
    context = f"{seconds:.1f} s into the run"
    _require_cpu(cpu_peak(statuses), context)
    _require_signs(max(silence(statuses), now - last.t), context)
    _require_schedule(_streams(plan, seconds, last.sent, last.starved), seconds, context)


def _streams(
    plan: LoadPlan, seconds: float, sent: Mapping[str, int], starved: Mapping[str, int]
) -> dict[str, StreamReport]:
    return {
        stream.name: StreamReport(
            asked=stream.shape.asked(seconds),
            sent=sent.get(stream.name, 0),
            missing=max(stream.shape.asked(seconds - _excused(seconds)) - sent.get(stream.name, 0), 0),
            starved=starved.get(stream.name, 0),
        )
        for stream in plan.streams
    }


def _excused(seconds: float) -> float:
    """For how many of its seconds a run may have been off its schedule."""
    least, most = _STALL_S
    return max(_MOST_OFF * seconds, min(max(_MOST_STALLED * seconds, least), most))


def _require_cpu(cpu: float, context: str) -> None:
    """Refuse a run that was out of CPU; before its rate, because that is then only a consequence."""
    if cpu > MOST_CPU:
        hint = "lower the rate, or give the machine more cores"
        raise InvalidLoadError(f"the load generator used {percent(cpu)}% of a core; {context}", hint=hint)


def _require_signs(silent: float, context: str) -> None:
    if silent > SILENCE_S:
        raise InvalidLoadError(
            f"the load generator has been silent for {silent:.1f} s: stuck, stopped or starved; {context}"
        )


def _require_schedule(streams: Mapping[str, StreamReport], seconds: float, context: str) -> None:
    excused = _excused(seconds)
    for name, stream in streams.items():
        if stream.missing:
            counts = f"only {stream.sent:,} of {stream.asked:,} requests were sent"
            share = f"{percent(stream.sent / stream.asked)}%; it may be {excused:.1f} s behind its schedule"
            hint = (
                "if answers stalled, all users were waiting: give the stream more users or a shorter timeout"
            )
            raise InvalidLoadError(f"stream {name}: {counts} ({share}); {context}", hint=hint)
        if stream.starved * seconds > stream.asked * excused:
            counts = (
                f"{stream.starved:,} of {stream.sent:,} requests were sent late although a client was free"
            )
            share = f"{percent(stream.starved / stream.sent)}%; {percent(excused / seconds)}% may be"
            hint = "the load generator was short of CPU: lower the rate, or run less beside it"
            raise InvalidLoadError(f"stream {name}: {counts} ({share}); {context}", hint=hint)
