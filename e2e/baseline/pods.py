"""Which pods were ready when, from the timeline, and when the gateway had followed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fixtures.rollout.records import tag_of
from fixtures.rollout.timeline import Record, of_kind
from fixtures.rollout.verdicts import Window, requests
from fixtures.trial import ACTIVE
from loadgen.records import Request

# What the gateway takes to follow the pods is some tenths of a second; a machine may be ten times as busy.
CONVERGENCE_SECONDS = 5.0
# The shortest stage worth measuring.
_SHORTEST_SECONDS = 3.0
# The watch may tell of a change as much later than it told istiod.
_LAG = 0.25


@dataclass(frozen=True)
class Stage:
    """A time in which the ready pods did not change: `new` of `total` were of the new version."""

    window: Window
    new: int
    total: int

    @property
    def share(self) -> float:
        """The new version's share of the ready pods, 0 to 1."""
        return self.new / self.total


def ready_shares(records: list[Record], version: str) -> Iterator[Stage]:
    """The stages of an update to `version`, without the time that the gateway needs to follow."""
    sent = requests(records, ACTIVE)
    ready: dict[str, str | None] = {}
    since = 0.0
    for pod in of_kind(records, "pod"):
        before = dict(ready)
        if pod["ready"] and not pod.get("deleted"):
            ready[pod["name"]] = tag_of(pod["image"])
        else:
            ready.pop(pod["name"], None)
        if ready == before:
            continue
        end = pod["t"] - _LAG
        start = _followed(sent, before.keys(), Window(since - _LAG, end))
        if before and end - start >= _SHORTEST_SECONDS:
            new = sum(tag == version for tag in before.values())
            yield Stage(Window(start, end), new, len(before))
        since = pod["t"]


def _followed(sent: Sequence[Request], ready: Collection[str], stage: Window) -> float:
    """From when on each of the ready pods was asked and no other; later than allowed is too late."""
    answered = [request for request in sent if request.pod and request.t in stage]
    first = {request.pod: request.t for request in reversed(answered)}
    others = [request.t for request in answered if request.pod not in ready]
    latest = max([*others, *(first.get(pod, stage.end) for pod in ready)], default=stage.start)
    return min(latest, stage.start + CONVERGENCE_SECONDS)
