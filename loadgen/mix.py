"""Draws the call of each request of a stream by its number, so that any worker draws the same one."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from loadgen.message import Message

_MASK = (1 << 64) - 1


class Mix:
    """The calls of a stream: `mix[7]` is the message of request number 7, counted from 0."""

    def __init__(self, seed: str, messages: Sequence[Message], weights: Sequence[float]) -> None:
        """Prepare to draw.

        Args:
            seed: Whoever has the same one draws the same sequence.
            messages: The message of each call.
            weights: How often each is drawn, relative to the others.
        """
        self._messages = messages
        self._sums = list(accumulate(weights))
        self._seed = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")

    def __getitem__(self, number: int) -> Message:
        if len(self._messages) == 1:
            return self._messages[0]
        drawn = _mixed(self._seed + number) / (_MASK + 1) * self._sums[-1]
        return self._messages[min(bisect_right(self._sums, drawn), len(self._messages) - 1)]


def _mixed(number: int) -> int:
    """Return 64 bits that depend on all bits of `number`, as SplitMix64 does.

    It has a state of one number, so that the value at any place is computed at once, in a microsecond:
    Steele, Lea, Flood 2014, https://doi.org/10.1145/2714064.2660195
    """
    state = (number * 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)
