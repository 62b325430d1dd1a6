"""Divides the schedule of a load among workers, so that all of them together send exactly that schedule.

Of n workers, worker i sends the requests with the numbers i, i + n, i + 2n and so on. When each is due, and
which call it is, depend on its number alone. So the division changes neither, and needs no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from loadgen.shapes import Constant


@dataclass(frozen=True)
class Part:
    """The part of one worker.

    Attributes:
        index: Which worker it is, from 0.
        count: How many workers there are.
    """

    index: int = 0
    count: int = 1

    def send_times(self, shape: Constant) -> Iterator[tuple[int, float]]:
        """Yield the number of each of its requests, and when it is due, in seconds from the start."""
        return islice(enumerate(shape.send_times()), self.index, None, self.count)

    def users(self, total: int) -> int:
        """Return how many of all clients it has; at least one, if there are as many as workers."""
        return total // self.count + (self.index < total % self.count)


WHOLE = Part()
"""The part of a load generator that has no others beside it."""
