"""Measures how often, and for how long, a VirtualService lost the weight that Argo Rollouts had set."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fixtures.judge.verdicts import Window
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ApplicationRecord, WeightRecord


@dataclass(frozen=True)
class Flapping:
    """What happened to a weight in a window.

    Attributes:
        resets: How often it was changed to another value.
        seconds: For how long in all it had another value.
        longest: For how long it had another value at most, in seconds.
    """

    resets: int
    seconds: float
    longest: float

    def __str__(self) -> str:
        return f"{self.resets} resets, {self.seconds:.2f} s in all, {1000 * self.longest:.0f} ms at most"


def flapping(records: Recording, *, weight: int, window: Window) -> Flapping:
    """Measure how often and for how long the canary's weight was not `weight` within a window."""
    weights = [
        (record.t, record.weights["payments-canary"])
        for record in records.of(WeightRecord)
        if record.object == "payments"
    ]
    other = [
        min(end, window.end) - start
        for (start, seen), (end, _) in pairwise([*weights, (window.end, weight)])
        if seen != weight and start in window
    ]
    return Flapping(len(other), sum(other), max(other, default=0.0))


def syncs(records: Recording, window: Window) -> int:
    """How many sync operations Argo CD began within a window."""
    states = (record for record in records.of(ApplicationRecord) if record.t in window)
    # Argo CD writes this time in whole seconds.
    begun = {record.operation_started for record in states if record.operation_started}
    return sum(start >= window.start - 1 for start in begun)
