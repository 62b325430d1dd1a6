"""When an analysis began, and when a canary reached a step or had a weight, from the timeline."""

from __future__ import annotations

from collections.abc import Iterable

from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.convergence import Settled, windows
from fixtures.judge.verdicts import versions_by_hash
from fixtures.timeline.object_record import ObjectRecord
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, RolloutRecord
from fixtures.trial.trial import ACTIVE


def entered(records: Recording, version: str, step: int) -> float:
    """When the canary of a version was first seen at a step or past it, in Unix seconds."""
    hashes = _hashes(records, version)
    times = [
        record.t
        for record in records.of(RolloutRecord)
        if record.current in hashes and record.step is not None and record.step >= step
    ]
    return _first(times, f"{version} was never at step {step}")


def began(records: Recording, version: str) -> float:
    """When the first AnalysisRun of a version was seen, in Unix seconds."""
    hashes = _hashes(records, version)
    times = [record.t for record in records.present(AnalysisRecord) if record.hash in hashes]
    return _first(times, f"{version} had no AnalysisRun")


def began_before_its_abort(records: Recording, version: str) -> bool:
    """Whether the API server had the first AnalysisRun of a version before its Rollout was aborted.

    By resource versions and not by times, because one watch may be seconds behind the other.
    """
    hashes = _hashes(records, version)
    runs = _versions(r for r in records.present(AnalysisRecord) if r.hash in hashes)
    aborts = _versions(r for r in records.of(RolloutRecord) if r.abort and r.current in hashes)
    return bool(runs) and bool(aborts) and min(runs) < min(aborts)


def _versions(records: Iterable[ObjectRecord]) -> list[int]:
    return [record.resource_version for record in records if record.resource_version is not None]


def held_at(records: Recording, version: str, weight: int) -> Settled:
    """The longest time in which a version had a weight, and its share can be compared with that weight.

    There may be a second, very short one: the watch of the Services may deliver a new version later than the
    watch of the VirtualServices delivers its weight.
    """
    held = [each for each in windows(records, stream=ACTIVE) if each.weights.get(version) == weight]
    if not held:
        raise ConditionNotMetError(f"{version} never had {weight}%")
    return max(held, key=lambda each: each.window.end - each.window.start)


def _hashes(records: Recording, version: str) -> set[str]:
    return {pod_hash for pod_hash, tag in versions_by_hash(records).items() if tag == version}


def _first(times: list[float], complaint: str) -> float:
    if not times:
        raise ConditionNotMetError(complaint)
    return min(times)
