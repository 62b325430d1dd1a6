"""Whether harness and load generator have one clock: what each of them notes must be possible to the other.

Both take their times from the epoch in the plan, and all processes of a machine share CLOCK_MONOTONIC. If
that were ever wrong, every request would be shifted against every weight, and verdicts would be wrong without
a sign of it. So each run is compared with what the harness knows: nothing is sent before the load generator
is started or after it has ended, and a load that is told to stop has not stopped before.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.core.clock import ClockError
from loadgen.records import Request
from loadgen.status import Status

# Records have six decimals.
_ROUNDING_S = 1e-5


def require_start(first: Status, *, spawned: float, seen: float) -> None:
    """Accept what the load generator says first.

    Args:
        first: Its first status.
        spawned: When the harness was about to start it, in Unix seconds.
        seen: When the harness had read that status.

    Raises:
        ClockError: It began before it was started, or after that was read.
    """
    _require(spawned, first.began, "the load generator says that it began before it was started")
    _require(first.t, seen, "the harness read a status of the load generator before it was written")


def require_end(
    statuses: Sequence[Status], requests: Sequence[Request], *, stopping: float | None, ended: float
) -> None:
    """Accept the times of a run that has ended.

    Args:
        statuses: What the load generator said, once at least.
        requests: What it recorded.
        stopping: When the harness was about to tell it to stop, in Unix seconds; None if it ended by itself.
        ended: When the harness knew that it had ended.

    Raises:
        ClockError: Something was recorded before the load began or after it had ended, or it stopped before
            it was told to.
    """
    began, last = statuses[0].began, statuses[-1]
    _require(last.t, ended, "the load generator wrote a status after it had ended")
    if stopping is not None:
        _require(stopping, last.until, "the load generator says that it stopped before it was told to")
    if requests:
        early = min(min(request.t, request.intended) for request in requests)
        _require(began, early, "a request was sent before the load began")
        late = max(request.received for request in requests)
        _require(late, ended, "an answer came after the load generator had ended")


def _require(before: float, after: float, what: str) -> None:
    difference = before - after
    if difference > _ROUNDING_S:
        hint = "no verdict can be relied on: requests and what was watched have different clocks"
        raise ClockError(
            f"the clocks of harness and load generator differ by {difference:.3f} s or more: {what}",
            hint=hint,
        )
