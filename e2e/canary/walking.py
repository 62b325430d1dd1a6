"""The steps that a canary went through, from the timeline."""

from __future__ import annotations

from itertools import pairwise

from fixtures.timeline.recording import Recording
from fixtures.timeline.records import RolloutRecord


def steps_since(records: Recording, t: float) -> list[int]:
    """The step indices in the Rollout's status, in order, beginning with that at the moment `t`."""
    seen = [(record.t, record.step) for record in records.of(RolloutRecord) if record.step is not None]
    steps = [step for when, step in seen if when < t][-1:] + [step for when, step in seen if when >= t]
    return steps[:1] + [later for earlier, later in pairwise(steps) if later != earlier]
