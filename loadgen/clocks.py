"""Whether harness and load generator have one clock: what each of them notes must be possible to the other.

Both take their times from the epoch in the plan, and all processes of a machine share CLOCK_MONOTONIC. If
that were ever wrong, every request would be shifted against every weight, and verdicts would be wrong without
a sign of it. So each run is compared with what the harness knows: nothing is sent before the load generator
is started or after it has ended, and a load that is told to stop has not stopped before.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.core.clock import ClockError
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
    statuses: Sequence[Status],
    *,
    first: float | None,
    last: float | None,
    stopping: float | None,
    ended: float,
) -> None:
    """Accept the times of a run that has ended.

    Args:
        statuses: What the load generator said, once at least.
        first: When the first request was sent or due, in Unix seconds; None if there was none.
        last: When the last answer came or was given up; None if there was none.
        stopping: When the harness was about to tell it to stop, in Unix seconds; None if it ended by itself.
        ended: When the harness knew that it had ended.

    Raises:
        ClockError: Something was recorded before the load began or after it had ended, or it stopped before
            it was told to.
    """
    _require(statuses[-1].t, ended, "the load generator wrote a status after it had ended")
    _require(stopping, statuses[-1].until, "the load generator says that it stopped before it was told to")
    _require(statuses[0].began, first, "a request was sent before the load began")
    _require(last, ended, "an answer came after the load generator had ended")


def _require(before: float | None, after: float | None, what: str) -> None:
    if before is None or after is None:
        return
    difference = before - after
    if difference > _ROUNDING_S:
        hint = "no verdict can be relied on: requests and what was watched have different clocks"
        raise ClockError(
            f"the clocks of harness and load generator differ by {difference:.3f} s or more: {what}",
            hint=hint,
        )
