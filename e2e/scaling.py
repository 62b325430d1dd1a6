"""When the ReplicaSet of a version was scaled to 0."""

from __future__ import annotations

from itertools import pairwise

from fixtures.conditions.expectation import Assessment, Condition, met, pending, unknown
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ReplicaSetRecord
from fixtures.timeline.state import State


def scaled_down(version: str) -> Condition:
    """A condition: the ReplicaSets of a version (an image tag) have 0 desired pods."""

    def check(state: State) -> Assessment:
        if not state.has_had(version):
            return unknown(f"no ReplicaSet of {version} was ever seen")
        sizes = [each.desired for each in state.replica_sets_of(version)]
        return (pending if any(sizes) else met)(f"{version} is asked for {sizes or 'nothing'}")

    return Condition(f"{version} scaled down", check)


def scaled_down_at(records: Recording, version: str, after: float) -> float:
    """When the ReplicaSet of a version was first seen to be scaled to 0 after a moment, in Unix seconds."""
    sizes = [(each.t, each.desired) for each in records.of(ReplicaSetRecord) if tag_of(each.image) == version]
    falls = [t for (_, before), (t, now) in pairwise(sizes) if before and not now and t > after]
    assert falls, f"{version} was not scaled down after {after:.3f}: {sizes}"
    return float(falls[0])
