"""When an analysis began, and when the canary got where, from the timeline."""

from __future__ import annotations

from fixtures.core.errors import ConditionNotMetError
from fixtures.rollout.convergence import versions_by_hash
from fixtures.rollout.timeline import Record, of_kind, present


def entered(records: list[Record], version: str, step: int) -> float:
    """When the canary of a version was first seen at a step or past it."""
    hashes = _hashes(records, version)
    found = [
        record["t"]
        for record in of_kind(records, "rollout")
        if record["current"] in hashes and record["step"] is not None and record["step"] >= step
    ]
    return _first(found, f"{version} was never at step {step}")


def began(records: list[Record], version: str) -> float:
    """When the first AnalysisRun of a version was seen."""
    hashes = _hashes(records, version)
    found = [record["t"] for record in present(records, "analysis") if record["hash"] in hashes]
    return _first(found, f"{version} had no AnalysisRun")


def _hashes(records: list[Record], version: str) -> set[str]:
    return {pod_hash for pod_hash, tag in versions_by_hash(records).items() if tag == version}


def _first(found: list[float], complaint: str) -> float:
    if not found:
        raise ConditionNotMetError(complaint)
    return min(found)
