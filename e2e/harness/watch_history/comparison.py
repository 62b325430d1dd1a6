"""Compares the records of a recorder with what really happened.

The contract of a watch decides what counts as lost. Every change is told once, as it
is in the server's history, except in a gap. A gap is between two resource versions
whose changes the server could no longer deliver, so that the watch had to list. For a
gap, the recorder tells the last state of each object that exists at its end, and the
deletion of each object that existed at its beginning and is gone. So an object that
changed more than once in the gap is told once, and one that was created and deleted
in it is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from e2e.harness.watch_history.etcd import Change
from fixtures.core.record import Record
from fixtures.timeline.object_record import ObjectRecord
from fixtures.timeline.records import AnalysisRecord, GapRecord, ReplicaSetRecord, ServiceRecord, WeightRecord

# The type of the records about each kind of object.
RECORDS: dict[str, type[ObjectRecord]] = {
    "ReplicaSet": ReplicaSetRecord,
    "Service": ServiceRecord,
    "VirtualService": WeightRecord,
    "AnalysisRun": AnalysisRecord,
}
Event = tuple[str, str, int, bool]


@dataclass
class Comparison:
    """The result of a comparison.

    Attributes:
        changes: How many changes there were.
        recorded: How many changes have their record.
        hidden: How many changes happened in a gap and could not be seen.
        gaps: How many gaps there were.
        lost: Changes that needed a record and have none.
        doubled: Changes with more than one record.
        invented: Records of changes that did not happen.
    """

    changes: int = 0
    recorded: int = 0
    hidden: int = 0
    gaps: int = 0
    lost: list[Change] = field(default_factory=list)
    doubled: list[Event] = field(default_factory=list)
    invented: list[Event] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or invented."""
        return not (self.lost or self.doubled or self.invented)


def compare(changes: Sequence[Change], records: Iterable[Record]) -> Comparison:
    """Compare a recorder's records with all changes, both from the same beginning."""
    records = list(records)
    recorded = Counter(
        _event(kind, record) for kind, its in RECORDS.items() for record in records if isinstance(record, its)
    )
    gaps = _gaps(records)
    result = Comparison(len(changes), gaps=sum(map(len, gaps.values())))
    result.doubled = [event for event, times in recorded.items() if times > 1]
    objects: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        objects.setdefault((change.kind.kind, change.name), []).append(change)
    explained: set[Event] = set()
    for change in changes:
        event = (change.kind.kind, change.name, change.revision, change.is_deletion)
        gap = next((g for g in gaps.get(change.kind.kind, ()) if g[0] < change.revision <= g[1]), None)
        if event in recorded:
            explained.add(event)
            result.recorded += 1
        elif gap is None:
            result.lost.append(change)
        elif not _must_be_recorded(change, objects[event[:2]], gap, recorded):
            result.hidden += 1
        elif change.is_deletion and (event := (event[0], event[1], gap[1], True)) in recorded:
            explained.add(event)
            result.recorded += 1
        else:
            result.lost.append(change)
    result.invented = [event for event in recorded if event not in explained]
    return result


def _must_be_recorded(
    change: Change, mine: Sequence[Change], gap: tuple[int, int], recorded: Counter[Event]
) -> bool:
    """Whether the list at the end of a gap shows a change; `mine` are all changes of objects with that name.

    The list shows the last state of the objects that exist, and that objects known before are gone.
    """
    if change.is_deletion:
        versions = [each.revision for each in mine if each.created == change.created and each != change]
        return any((change.kind.kind, change.name, version, False) in recorded for version in versions)
    following = next((each for each in mine if each.revision > change.revision), None)
    return following is None or following.revision > gap[1]


def _event(kind: str, record: ObjectRecord) -> Event:
    assert record.resource_version is not None
    # The key may go on with a route or a metric, but here each object has only one.
    return kind, record.key.partition("/")[0], record.resource_version, record.deleted


def _gaps(records: Iterable[Record]) -> dict[str, list[tuple[int, int]]]:
    gaps: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        if isinstance(record, GapRecord):
            gaps.setdefault(record.object, []).append((record.after, record.until))
    return gaps
