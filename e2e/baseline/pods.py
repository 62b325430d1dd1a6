"""Which pods were ready when, from the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixtures.rollout.records import tag_of
from fixtures.rollout.timeline import Record, of_kind
from fixtures.rollout.verdicts import Window

# From a pod's readiness to its first request at the gateway; and the shortest stage worth measuring.
_CONVERGENCE_SECONDS = 1.5
_SHORTEST_SECONDS = 3.0


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
        if before and pod["t"] - since >= _CONVERGENCE_SECONDS + _SHORTEST_SECONDS:
            new = sum(tag == version for tag in before.values())
            yield Stage(Window(since + _CONVERGENCE_SECONDS, pod["t"] - 0.25), new, len(before))
        since = pod["t"]
