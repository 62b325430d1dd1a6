"""Finds when the active Service changed its version, in the cluster and for clients, and its pods."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fixtures.conditions.conditions import behind
from fixtures.conditions.expectation import Condition
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.convergence import changes, convergence
from fixtures.judge.verdicts import Window, assert_exactly_none, requests, versions_by_hash
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.recording import Recording, as_written
from fixtures.timeline.records import PodRecord, ReplicaSetRecord, RolloutRecord, ServiceRecord, VerbRecord
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import ZeroCheck

SERVICE = "payments-active"
# The gateway follows a change of a Service within some tenths of a second; on a busy machine it may take ten
# times as long.
CONVERGENCE_SECONDS = 5.0
# Each kind of object has its own watch: the Rollout's record may come before those of other objects.
_TOLD_SECONDS = 10


@dataclass(frozen=True)
class Switch:
    """A change of the version that clients get.

    Attributes:
        t: When the active Service was seen to select the other version, in Unix seconds.
        old: The version before.
        new: The version after.
        converged: Seconds from `t` until the last request was sent that the old version answered.
        mixed: Seconds from the first answer of the new version until the last request was sent that the old
            version answered: the time in which the gateway sent requests to both. 0 if there was none.
        overlap: Seconds from the first answer of the new version to the last answer of the old one: as
            `mixed`, but with requests that were under way.
    """

    t: float
    old: str
    new: str
    converged: float
    mixed: float
    overlap: float

    def settled(self) -> Window:
        """The time in which clients may get only the new version."""
        return Window(self.t + min(self.converged, CONVERGENCE_SECONDS), math.inf)

    def __str__(self) -> str:
        return f"{self.old} to {self.new}, converged in {self.converged:.2f} s, overlap {self.overlap:.3f} s"


def switches(records: Recording) -> list[Switch]:
    """Every change of the version behind the active Service, in order."""
    sent = requests(records, ACTIVE)
    made: list[Switch] = []
    # The earliest moment at which the gateway may have got the change; the watch may be seconds later.
    written = -math.inf
    for change in changes(records):
        ((old, _),), ((new, _),) = change.before.items(), change.after.items()
        # Only until the next change, which may bring the old version back.
        during = [request for request in sent if request.t < change.until]
        came = [r.received for r in during if r.version == new and r.received >= written]
        went = [r for r in during if r.version == old]
        mixed, overlap = (_beyond(came, ends) for ends in ([r.t for r in went], [r.received for r in went]))
        made.append(Switch(change.t, old, new, convergence(change, sent) or 0.0, mixed, overlap))
        written = change.until_written
    return made


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


def _beyond(came: list[float], went: list[float]) -> float:
    return max(0.0, max(went) - min(came)) if came and went else 0.0
