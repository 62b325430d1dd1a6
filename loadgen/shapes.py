"""The schedule of a load: a rate gives the intended send time of each request.

A schedule is open-loop: it is known before the first request and does not wait
for answers. So a server that stalls cannot slow down the load, which would hide the stall ("coordinated
omission", https://www.scylladb.com/2021/04/22/on-coordinated-omission/).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from fixtures.core.schema import require_fields

# A limit, so that no load runs on unnoticed; the longest canary of the suite takes far less.
LONGEST_S = 15 * 60.0
# Far more than a load generator can send: whether it can send a lower rate is found by judging the load.
HIGHEST_RATE = 100_000.0
_HINT = "the rate is in requests/s and the duration in seconds: Constant(rate=200, duration_s=60)"

Rate = Annotated[float, Meta(gt=0, le=HIGHEST_RATE)]
Seconds = Annotated[float, Meta(gt=0, le=LONGEST_S)]


@dataclass(frozen=True)
class Constant:
    """`rate` requests/s, for `duration_s` seconds or until the traffic is stopped, at most 15 minutes.

    Request number i (counted from 0) is due (i + 1/2) / rate seconds after the start.

    Raises:
        FiredampError: The rate or the duration is out of bounds.
    """

    rate: Rate
    duration_s: Seconds = LONGEST_S

    def __post_init__(self) -> None:
        require_fields(self, "the load", "rate", "duration_s", hint=_HINT)

    def send_times(self) -> Iterator[float]:
        """Yield the intended send time of each request, in seconds from the start, ascending."""
        for index in itertools.count():
            if index + 0.5 >= self.rate * self.duration_s:
                return
            yield (index + 0.5) / self.rate

    def due(self, elapsed: float) -> int:
        """Return how many requests were due in the first `elapsed` seconds."""
        return math.floor(self.rate * min(max(elapsed, 0.0), self.duration_s) + 0.5)
