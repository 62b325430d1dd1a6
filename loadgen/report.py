"""Whether a run of load was what was asked for; if not, it says nothing about the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fixtures.core.errors import FiredampError
from loadgen.plan import Plan
from loadgen.queries import LATE_MS, counted, errors, late
from loadgen.records import Request
from loadgen.statistics import Share, percent
from loadgen.status import Status, cpu_peak

LEAST_SENT = 0.9
MOST_CPU = 0.9
# What is due this very moment may be sent in the next. Virtual machines are stopped for most of a second by
# what is beside them; whether there are enough requests for a verdict is for the verdict to say.
GRACE_S = 1.0


class InvalidLoadError(FiredampError):
    """The load was not what was asked for. That is the load's fault and never the product's."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(f"invalid load run (the load's fault, never the product's): {why}", hint=hint)


@dataclass(frozen=True)
class LaneReport:
    """What one lane amounted to.

    Attributes:
        asked: Requests that were due.
        sent: Requests sent.
        missing: Requests that were due more than `GRACE_S` before the end and were not sent.
    """

    asked: int
    sent: int
    missing: int


@dataclass(frozen=True)
class RunReport:
    """What a run of load amounted to.

    Attributes:
        seconds: How long requests were asked for.
        lanes: Each lane by its name.
        unrecorded: Requests sent of which no record was found.
        late: Share of the requests sent later than `LATE_MS` after their intended time.
        cpu: The load generator's processor time at its highest (5 s windows), as a share of one core.
        errors: Failed requests by what happened.
    """

    seconds: float
    lanes: dict[str, LaneReport]
    unrecorded: int
    late: Share
    cpu: float
    errors: Counter[str]

    @property
    def asked(self) -> int:
        """Requests that were due in that time, in all lanes."""
        return sum(lane.asked for lane in self.lanes.values())

    @property
    def sent(self) -> int:
        """Requests sent and recorded, in all lanes."""
        return sum(lane.sent for lane in self.lanes.values())

    @property
    def rate(self) -> float:
        """Requests sent per second, in all lanes together."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        late_share = f" ({percent(self.late.value)}%, n={self.late.n:,})" if self.late.n else ""
        # The rate of no time at all is not worth telling.
        rate = f" ({self.rate:.1f}/s)" if round(self.seconds, 1) else ""
        return (
            f"{self.sent:,} of {self.asked:,} requests sent in {self.seconds:.1f} s{rate}, "
            f"{self.late.k:,} late by more than {LATE_MS:g} ms{late_share}, "
            f"failed: {counted(self.errors)}, load generator's CPU at most {percent(self.cpu)}% of a core"
        )


def make_report(plan: Plan, statuses: Sequence[Status], requests: Sequence[Request]) -> RunReport:
    """Sum up a run from its plan, what the load generator said and what it recorded."""
    seconds = statuses[-1].until - statuses[-1].began if statuses else 0.0
    recorded = Counter(request.lane for request in requests)
    said = sum(statuses[-1].sent.values()) if statuses else 0
    return RunReport(
        seconds=min(seconds, plan.duration),
        lanes=_lanes(plan, seconds, recorded),
        unrecorded=max(said - len(requests), 0),
        late=Share(len(late(requests)), len(requests)),
        cpu=cpu_peak(statuses),
        errors=errors(requests),
    )


def judge(report: RunReport) -> None:
    """Accept a finished run.

    Raises:
        InvalidLoadError: A lane sent nothing or too little, records were lost, or it was out of CPU.
    """
    if report.unrecorded:
        raise InvalidLoadError(f"{report.unrecorded:,} requests were sent but not recorded; {report}")
    _require_cpu(report.cpu, str(report))
    for name, lane in report.lanes.items():
        if lane.sent == 0:
            hint = "see the load generator's log"
            raise InvalidLoadError(f"lane {name}: no request was sent; {report}", hint=hint)
    _require_rate(report.lanes, str(report))


def judge_so_far(plan: Plan, statuses: Sequence[Status]) -> None:
    """Accept a run that goes on.

    Raises:
        InvalidLoadError: A lane sent too little of what was due, or the run was out of CPU.
    """
    seconds = statuses[-1].until - statuses[-1].began
    _require_cpu(cpu_peak(statuses), f"{seconds:.1f} s into the run")
    _require_rate(_lanes(plan, seconds, statuses[-1].sent), f"{seconds:.1f} s into the run")


def _lanes(plan: Plan, seconds: float, sent: Mapping[str, int]) -> dict[str, LaneReport]:
    return {
        lane.name: LaneReport(
            asked=lane.shape.asked(seconds),
            sent=sent.get(lane.name, 0),
            missing=max(lane.shape.asked(seconds - GRACE_S) - sent.get(lane.name, 0), 0),
        )
        for lane in plan.lanes
    }


def _require_cpu(cpu: float, context: str) -> None:
    """Refuse a run that was out of CPU; before its rate, because that is then only a consequence."""
    if cpu > MOST_CPU:
        hint = "lower the rate, or give the machine more cores"
        raise InvalidLoadError(f"the load generator used {percent(cpu)}% of a core; {context}", hint=hint)


def _require_rate(lanes: Mapping[str, LaneReport], context: str) -> None:
    for name, lane in lanes.items():
        if lane.missing > (1 - LEAST_SENT) * lane.asked:
            counts = f"only {lane.sent:,} of {lane.asked:,} requests were sent"
            share = f"{percent(lane.sent / lane.asked)}%, n={lane.asked:,}; {percent(LEAST_SENT)}% must be"
            hint = "if answers stalled, all users were waiting: give the lane more users or a shorter timeout"
            raise InvalidLoadError(f"lane {name}: {counts} ({share}); {context}", hint=hint)
