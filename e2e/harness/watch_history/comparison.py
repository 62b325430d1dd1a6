"""What a recorder told, compared with what happened.

The contract of a watch, by which "lost" is judged: every change is told once,
as the server's history has it, except in a gap: between two resource versions
from which the server could not tell any more, so that the watch had to list.
Of a gap, the last state of what exists at its end is told, and that what existed
at its beginning was deleted. What changed more than once in it is told once, and
what came and went in it is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from e2e.harness.watch_history.etcd import Change
from fixtures.core.record import Record
from fixtures.timeline.records import (
    AnalysisRecord,
    GapRecord,
    ObjectRecord,
    ReplicaSetRecord,
    ServiceRecord,
    WeightRecord,
)

# The records about each kind of objects.
RECORDS: dict[str, type[ObjectRecord]] = {
    "ReplicaSet": ReplicaSetRecord,
    "Service": ServiceRecord,
    "VirtualService": WeightRecord,
    "AnalysisRun": AnalysisRecord,
}
Event = tuple[str, str, int, bool]


@dataclass
class Comparison:
    """What became of the changes.

    Attributes:
        changes: How many there were.
        told: How many of them were told exactly.
        hidden: How many happened in a gap, so that nobody could tell.
        gaps: How many gaps there were.
        lost: Those that had to be told, and were not.
        doubled: What was told more than once.
        invented: What was told and did not happen.
    """

    changes: int = 0
    told: int = 0
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
    """Compare a recorder's records of a time with all changes of that time, both from its beginning."""
    records = list(records)
    told = Counter(
        _event(kind, record) for kind, its in RECORDS.items() for record in records if isinstance(record, its)
    )
    gaps = _gaps(records)
    result = Comparison(len(changes), gaps=sum(map(len, gaps.values())))
    result.doubled = [event for event, times in told.items() if times > 1]
    objects: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        objects.setdefault((change.kind.kind, change.name), []).append(change)
    explained: set[Event] = set()
    for change in changes:
        event = (change.kind.kind, change.name, change.revision, change.is_deletion)
        gap = next((g for g in gaps.get(change.kind.kind, ()) if g[0] < change.revision <= g[1]), None)
        if event in told:
            explained.add(event)
            result.told += 1
        elif gap is None:
            result.lost.append(change)
        elif not _must_be_told(change, objects[event[:2]], gap, told):
            result.hidden += 1
        elif change.is_deletion and (event := (event[0], event[1], gap[1], True)) in told:
            explained.add(event)
            result.told += 1
        else:
            result.lost.append(change)
    result.invented = [event for event in told if event not in explained]
    return result


def _must_be_told(change: Change, mine: Sequence[Change], gap: tuple[int, int], told: Counter[Event]) -> bool:
    """Whether the list at the end of a gap shows a change of the objects that are `mine`, all of one name.

    It shows the last state of what exists, and the end of what was known before.
    """
    if change.is_deletion:
        versions = [each.revision for each in mine if each.created == change.created and each != change]
        return any((change.kind.kind, change.name, version, False) in told for version in versions)
    following = next((each for each in mine if each.revision > change.revision), None)
    return following is None or following.revision > gap[1]


def _event(kind: str, record: ObjectRecord) -> Event:
    assert record.resource_version is not None
    # One route for each VirtualService, and one metric for each AnalysisRun.
    return kind, record.key.partition("/")[0], record.resource_version, record.deleted


def _gaps(records: Iterable[Record]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        if isinstance(record, GapRecord):
            found.setdefault(record.object, []).append((record.after, record.until))
    return found
