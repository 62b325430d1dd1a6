"""The stages of a Deployment's update, from the timeline: which pods were ready, and got requests, when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fixtures.judge.verdicts import Window, requests
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import PodRecord, ReplicaSetRecord
from fixtures.trial.trial import ACTIVE
from loadgen.records import Request

# The gateway follows a change of the ready pods within some tenths of a second, and so does the watch. On a
# busy machine they may take ten times as long.
CONVERGENCE_SECONDS = 5.0
# The shortest stage worth measuring.
_SHORTEST_SECONDS = 3.0
# The recorder may get a change this many seconds later than istiod.
_LAG = 0.25


@dataclass(frozen=True)
class Stage:
    """A time in which the set of ready pods did not change: `new` of `total` pods were of the new version."""

    window: Window
    new: int
    total: int

    @property
    def share(self) -> float:
        """The new version's share of the ready pods, 0 to 1."""
        return self.new / self.total


def ready_shares(records: Recording, version: str) -> Iterator[Stage]:
    """The stages of an update to `version`, without the times in which other pods got requests.

    A stage begins when Kubernetes has noticed it: the controller manager, which counts the ready pods of each
    ReplicaSet, also writes the EndpointSlices that a gateway follows. On a busy machine both may come much
    later than the readiness of a pod.
    """
    sent, sets = requests(records, ACTIVE), records.of(ReplicaSetRecord)
    ready: dict[str, PodRecord] = {}
    since = 0.0
    for pod in records.of(PodRecord):
        before = dict(ready)
        if pod.ready and not pod.deleted:
            ready[pod.name] = pod
        else:
            ready.pop(pod.name, None)
        if ready.keys() == before.keys():
            continue
        noticed = _noticed(sets, Counter(each.hash for each in before.values()), Window(since, pod.t))
        if before and noticed is not None:
            window = _followed(sent, before.keys(), Window(noticed - _LAG, pod.t - _LAG))
            if window.end - window.start >= _SHORTEST_SECONDS:
                new = sum(tag_of(each.image) == version for each in before.values())
                yield Stage(window, new, len(before))
        since = pod.t


def _noticed(
    sets: Sequence[ReplicaSetRecord], ready: Mapping[str | None, int], stage: Window
) -> float | None:
    """When the counts of ready pods, by pod template hash, were first those of a stage; None if never."""
    counts: dict[str | None, int] = {}
    ends = [*(each.t for each in sets[1:]), stage.end]
    for record, until in zip(sets, ends, strict=False):
        counts[record.hash] = 0 if record.deleted else record.ready
        begin, end = max(record.t, stage.start), min(until, stage.end)
        if begin < end and {each: n for each, n in counts.items() if n} == ready:
            return begin
    return None


def _followed(sent: Sequence[Request], ready: Collection[str], stage: Window) -> Window:
    """The part of a stage in which every ready pod, and no other pod, got requests.

    The gateway may follow a change late, or before the recorder gets it. At most `CONVERGENCE_SECONDS` are
    cut off at each end.
    """
    known = {request.pod for request in sent if request.t <= stage.start}
    answered = [request for request in sent if request.pod and request.t in stage]
    last = {request.pod: request.t for request in answered}
    first = {request.pod: request.t for request in reversed(answered)}
    gone = [t for pod, t in last.items() if pod not in ready and pod in known]
    early = [t for pod, t in first.items() if pod not in ready and pod not in known]
    latest = max([*gone, *(first.get(pod, stage.end) for pod in ready)], default=stage.start)
    earliest = min([*early, *(last.get(pod, stage.start) for pod in ready)], default=stage.end)
    return Window(
        min(latest, stage.start + CONVERGENCE_SECONDS), max(earliest, stage.end - CONVERGENCE_SECONDS)
    )
