"""How many requests are asked for, and when: shapes of load as schedules of intended send times.

A schedule is open-loop: it is known before the first request and does not wait
for answers, so a server that stalls cannot slow down the question ("coordinated
omission", https://www.scylladb.com/2021/04/22/on-coordinated-omission/).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from msgspec import Meta

from fixtures.core.errors import FiredampError
from fixtures.core.schema import require_fields

# No load runs on unnoticed: the longest canary of the suite takes far less.
LONGEST_S = 15 * 60.0
# Far more than a load generator sends, so that what it cannot is said by its own verdict.
HIGHEST_RATE = 100_000.0
_MOST_PARTS = 1000
_HINT = "rates are in requests/s and times in seconds: Constant(rate=200, duration_s=60)"

Rate = Annotated[float, Meta(ge=0, le=HIGHEST_RATE)]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]


class Segment(NamedTuple):
    """A stretch of time in which the rate goes in a straight line from `start` to `end` (requests/s)."""

    seconds: float
    start: float
    end: float

    @property
    def requests(self) -> float:
        """Requests in the whole segment."""
        return self.asked(self.seconds)

    def asked(self, elapsed: float) -> float:
        """Requests in its first `elapsed` seconds, as a fraction: the integral of the rate."""
        return self.start * elapsed + (self.end - self.start) / self.seconds * elapsed**2 / 2

    def time_of(self, count: float) -> float:
        """Seconds after which `count` requests have been asked for: the inverse of `asked`."""
        slope = (self.end - self.start) / self.seconds
        root = math.sqrt(max(self.start**2 + 2 * slope * count, 0.0))
        return 2 * count / (self.start + root) if count > 0 else 0.0


class Shape(ABC):
    """A rate over time. Request number i is due when i + 1/2 requests have been asked for."""

    @property
    @abstractmethod
    def segments(self) -> tuple[Segment, ...]:
        """The straight pieces that it consists of, in order."""

    @property
    def duration(self) -> float:
        """Seconds from the first to the last piece's end."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def peak(self) -> float:
        """The highest rate, requests/s."""
        return max(max(segment.start, segment.end) for segment in self.segments)

    def send_times(self) -> Iterator[float]:
        """Yield the intended send time of each request, in seconds from the start, ascending."""
        index, begins, before = 0, 0.0, 0.0
        for segment in self.segments:
            after = before + segment.requests
            while index + 0.5 < after:
                yield begins + segment.time_of(index + 0.5 - before)
                index += 1
            begins, before = begins + segment.seconds, after

    def asked(self, elapsed: float) -> int:
        """Return how many requests were due in the first `elapsed` seconds."""
        asked, left = 0.0, max(elapsed, 0.0)
        for segment in self.segments:
            asked += segment.asked(min(left, segment.seconds))
            left = max(left - segment.seconds, 0.0)
        return math.floor(asked + 0.5)

    def _check(self) -> None:
        name = type(self).__name__
        require_fields(self, name, *vars(self), hint=_HINT)
        if any(segment.seconds <= 0 for segment in self.segments) or self.peak == 0:
            message = f"{self}: each part must last a while, and some part must have a rate"
            raise FiredampError(message, hint=_HINT)
        if self.duration > LONGEST_S:
            message = f"{name} lasts {self.duration:g} s; at most {LONGEST_S:g} s are allowed"
            raise FiredampError(message, hint=_HINT)


@dataclass(frozen=True)
class Constant(Shape):
    """`rate` requests/s, for `duration_s` seconds or until the traffic is stopped, at most 15 minutes."""

    rate: Rate
    duration_s: Seconds = LONGEST_S

    def __post_init__(self) -> None:
        self._check()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """One flat piece."""
        return (Segment(self.duration_s, self.rate, self.rate),)


@dataclass(frozen=True)
class Ramp(Shape):
    """From `start` to `end` requests/s in a straight line over `duration_s` seconds."""

    start: Rate
    end: Rate
    duration_s: Seconds

    def __post_init__(self) -> None:
        self._check()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """One sloping piece."""
        return (Segment(self.duration_s, self.start, self.end),)


@dataclass(frozen=True)
class Steps(Shape):
    """Flat pieces one after the other, each a pair of (requests/s, seconds)."""

    steps: Annotated[tuple[tuple[Rate, Seconds], ...], Meta(min_length=1, max_length=_MOST_PARTS)]

    def __post_init__(self) -> None:
        self._check()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """One flat piece per step."""
        return tuple(Segment(seconds, rate, rate) for rate, seconds in self.steps)


@dataclass(frozen=True)
class Spike(Shape):
    """`base` requests/s, but `peak_rate` for `lasting_s` seconds from `at_s` on; `duration_s` in all."""

    base: Rate
    peak_rate: Rate
    at_s: Seconds
    lasting_s: Seconds
    duration_s: Seconds

    def __post_init__(self) -> None:
        self._check()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Before, spike, after."""
        after = self.duration_s - self.at_s - self.lasting_s
        pieces = ((self.base, self.at_s), (self.peak_rate, self.lasting_s), (self.base, after))
        return tuple(Segment(seconds, rate, rate) for rate, seconds in pieces)


@dataclass(frozen=True)
class Pieces(Shape):
    """Any shape by its segments; what is handed to the load generator's process."""

    pieces: tuple[Segment, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """As given."""
        return self.pieces
