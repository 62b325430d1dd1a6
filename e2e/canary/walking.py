"""The way of a canary through its steps."""

from __future__ import annotations

from itertools import pairwise

from fixtures.timeline.timeline import Record, of_kind


def steps_since(records: list[Record], t: float) -> list[int]:
    """The step indices that the status went through, from the one in force at a moment."""
    told = [r for r in of_kind(records, "rollout") if r["step"] is not None]
    at = [r["step"] for r in told if r["t"] < t][-1:] + [r["step"] for r in told if r["t"] >= t]
    return at[:1] + [later for earlier, later in pairwise(at) if later != earlier]
