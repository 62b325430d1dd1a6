"""Checks that the times of the harness and of the load generator can come from one clock.

Both compute their times from the epoch in the plan, and all processes of a machine share CLOCK_MONOTONIC. If
their clocks ever differed, all requests would be shifted in time against all weights, and verdicts would be
wrong without anybody noticing. So the order of the times of each load is checked: nothing may be sent before
the harness starts the load generator or after it has ended, and the load may not stop before it is asked to.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.core.clock import ClockError
from loadgen.status import Status

# Times in records are rounded to six decimals.
_ROUNDING_S = 1e-5


def require_start(first: Status, *, spawned: float, seen: float) -> None:
    """Check the times in the first status of a load generator.

    Args:
        first: The first status.
        spawned: When the harness was about to start the load generator, in Unix seconds.
        seen: When the harness had read that status, in Unix seconds.

    Raises:
        ClockError: The load began before the harness started it, or a status was read before it was written.
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
    """Check the times of a load that has ended.

    Args:
        statuses: All statuses of the load generator; at least one.
        first: When the first request was sent or due, in Unix seconds; None if there was none.
        last: When the last answer came or was given up, in Unix seconds; None if there was none.
        stopping: When the harness was about to ask it to stop, in Unix seconds; None if it ended by itself.
        ended: When the harness knew that it had ended, in Unix seconds.

    Raises:
        ClockError: Something was recorded before the load began or after it had ended, or the load stopped
            before it was asked to.
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
