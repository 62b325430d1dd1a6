"""Judges switches of the active Service to another version, and finds the pods behind it."""

from __future__ import annotations

from fixtures.conditions.conditions import behind
from fixtures.conditions.expectation import Condition
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.switches import Switch
from fixtures.judge.verdicts import assert_exactly_none, versions_by_hash
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.recording import Recording, as_written
from fixtures.timeline.records import PodRecord, ReplicaSetRecord, RolloutRecord, ServiceRecord, VerbRecord
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import ZeroCheck

SERVICE = "payments-active"
# Each kind of object has its own watch: the Rollout's record may come before those of other objects.
_TOLD_SECONDS = 10


def assert_clean(records: Recording, switch: Switch, *, promoted: float) -> tuple[ZeroCheck, ZeroCheck]:
    """Assert that no client got the new version before the only switch, nor the old version after it.

    Args:
        records: The trial's recording.
        switch: The switch.
        promoted: When the promotion was asked for, in Unix seconds.

    Returns:
        The checks that the new version gave no answer before the promotion, and the old one none after the
        clients were switched.

    Raises:
        ConditionNotMetError: There were such answers, or too few requests for a verdict.
    """
    return (
        assert_exactly_none(answered_by(records, promoted), stream=ACTIVE, version=switch.new),
        assert_exactly_none(records, stream=ACTIVE, version=switch.old, window=switch.settled()),
    )


def answered_by(records: Recording, moment: float) -> Recording:
    """The recording with only those requests that were answered by a moment."""
    sent = records.requests
    return records.with_requests(sent.where(sent.received <= moment))


def stays_active(app: Trial, version: str) -> None:
    """Assert that the active Service selects a version within 10 s, and goes on until this can be judged.

    Raises:
        ConditionNotMetError: The Service does not select it in time, or selects another version later.
    """
    selects = behind(version, SERVICE)
    app.wait(selects, within=_TOLD_SECONDS)
    app.stays(selects, weights={version: 100})


def settles(app: Trial, condition: Condition, *, for_: float) -> None:
    """Assert that a condition is met within 10 s, and then holds for `for_` seconds.

    Raises:
        ConditionNotMetError: It is not.
    """
    app.wait(condition, within=_TOLD_SECONDS)
    app.holds(condition, for_=for_)


def used_at(records: Recording, verb: str) -> float:
    """When a verb was last used, in Unix seconds."""
    return [record.t for record in records.of(VerbRecord) if record.verb == verb][-1]


def available_at(records: Recording, version: str) -> float:
    """When all pods of a version were first available, in Unix seconds."""
    return next(
        replica_set.t
        for replica_set in records.of(ReplicaSetRecord)
        if tag_of(replica_set.image) == version and 0 < replica_set.desired <= replica_set.available
    )


def ready_pods_behind(records: Recording, version: str) -> int:
    """How many pods of a version were ready when the active Service was first made to select it.

    Records are read in the order of the API server's writes, as one watch may be seconds behind another.
    """
    ready: dict[str, bool] = {}
    hashes = {pod_hash for pod_hash, tag in versions_by_hash(records).items() if tag == version}
    for record in as_written(records.others):
        if isinstance(record, PodRecord) and tag_of(record.image) == version:
            ready[record.name] = record.ready and not record.deleted
        elif isinstance(record, ServiceRecord) and record.name == SERVICE and record.hash in hashes:
            return sum(ready.values())
    raise ConditionNotMetError(f"{version} was never behind {SERVICE}")


def ready_pods(records: Recording, version: str, *, at: float) -> int:
    """How many pods of a version were ready at a moment."""
    ready: dict[str, bool] = {}
    for pod in records.of(PodRecord):
        if pod.t <= at and tag_of(pod.image) == version:
            ready[pod.name] = pod.ready and not pod.deleted
    return sum(ready.values())


def paused_first(records: Recording, after: float) -> float | None:
    """When the Rollout was first seen paused after a moment, in Unix seconds; None if it never was."""
    times = (r.t for r in records.of(RolloutRecord) if r.t >= after and r.phase == "Paused")
    return next(times, None)


def selected(records: Recording, service: str = SERVICE) -> list[str]:
    """The versions that a Service has selected, in order."""
    versions = versions_by_hash(records)
    tags = [versions[r.hash] for r in records.of(ServiceRecord) if r.name == service and r.hash]
    return [tag for place, tag in enumerate(tags) if place == 0 or tags[place - 1] != tag]
