"""Measures by how much the clock of another process differs, from the answers to messages.

Of an exchange it is known when the question was sent and when the answer came, by the own clock, and what the
other clock showed in between. So the other clock is ahead by what it showed less the middle of both, and this
is wrong by half of the time between them at most: https://www.rfc-editor.org/rfc/rfc5905#section-8
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

MOST_OFFSET_S = 0.05
"""A run is refused if a worker's clock may differ from that of the harness by more than this."""


class Exchange(NamedTuple):
    """One question and its answer; all in Unix seconds.

    Attributes:
        sent: When the question was sent, by the own clock.
        theirs: What the other clock showed when it was answered.
        received: When the answer came, by the own clock.
    """

    sent: float
    theirs: float
    received: float

    @property
    def offset(self) -> Offset:
        """By how much the other clock is ahead."""
        return Offset(self.theirs - (self.sent + self.received) / 2, (self.received - self.sent) / 2)


class Offset(msgspec.Struct, frozen=True):
    """By how much a clock is ahead of another one.

    Attributes:
        seconds: The best estimate; negative if it is behind.
        within: The estimate is wrong by this at most, in seconds.
    """

    seconds: float
    within: float

    def __str__(self) -> str:
        return f"{self.seconds * 1000:+.1f} ms (known within {self.within * 1000:.1f} ms)"

    @property
    def is_acceptable(self) -> bool:
        """Whether the difference is certainly small enough."""
        return abs(self.seconds) + self.within <= MOST_OFFSET_S

    @property
    def correction(self) -> float:
        """What to take off the other clock, in seconds: nothing if both may as well show the same time."""
        return self.seconds if abs(self.seconds) > self.within else 0.0


def best(exchanges: Iterable[Exchange]) -> Offset | None:
    """Return the offset by the quickest of some exchanges; None if there is none."""
    return min((each.offset for each in exchanges), key=lambda offset: offset.within, default=None)
