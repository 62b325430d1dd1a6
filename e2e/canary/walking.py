"""The way of a canary through its steps."""

from __future__ import annotations

from itertools import pairwise

from fixtures.timeline.recording import Recording
from fixtures.timeline.records import RolloutRecord


def steps_since(records: Recording, t: float) -> list[int]:
    """The step indices that the status went through, from the one in force at a moment."""
    told = [(record.t, record.step) for record in records.of(RolloutRecord) if record.step is not None]
    at = [step for when, step in told if when < t][-1:] + [step for when, step in told if when >= t]
    return at[:1] + [later for earlier, later in pairwise(at) if later != earlier]
