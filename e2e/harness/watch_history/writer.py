"""Changes objects of one kind, one after the other, and notes between which moments each change was made."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from e2e.harness.watch_history.background import Background
from e2e.harness.watch_history.objects import body_of
from fixtures.core.objects import Object
from fixtures.kube.client import Kube
from fixtures.kube.errors import KubeError
from fixtures.kube.kinds import Kind

_NAMES = 4
_PAUSE = 0.05
# In percent of all changes: lapses, in which an object is not well for a moment, and deletions.
_LAPSES, _DELETIONS = 5, 15
_END_SECONDS = 60
_ANNOTATION = "history/number"


@dataclass(frozen=True)
class Write:
    """One change that was made.

    Attributes:
        kind: The kind of the object.
        name: The name of the object.
        sent: A moment before the change was requested, in monotonic seconds.
        done: A moment when it was known to be done, in monotonic seconds.
        is_well: Whether the object is well after the change.
    """

    kind: Kind
    name: str
    sent: float
    done: float
    is_well: bool


class Writer(Background):
    """Changes objects in a thread while its block runs.

    Attributes:
        writes: All changes, in order.
    """

    def __init__(self, kube: Kube, namespace: str, kind: Kind, *, seed: int, pace: float) -> None:
        """Change objects of `kind`, with pauses of `pace` seconds on average."""
        super().__init__(f"write-{kind.kind}", end_seconds=_END_SECONDS)
        self.kind = kind
        self.names = [f"{kind.kind.lower()}-{number}" for number in range(_NAMES)]
        self.writes: list[Write] = []
        self._kube, self._namespace, self._pace = kube, namespace, pace
        self._random = random.Random(f"{seed} {kind.kind}")
        self._number = 0
        self._present: set[str] = set()

    def __enter__(self) -> Self:
        for name in self.names:
            self._put(name)
        return super().__enter__()

    def work(self) -> None:
        """Change one object after the other."""
        while not self._stop.wait(self._random.expovariate(1 / self._pace)):
            name, drawn = self._random.choice(self.names), self._random.uniform(0, 100)
            if drawn < _LAPSES:
                self._put(name, is_well=False)
                # A lapse lasts long enough to be seen, or is over before anybody can see it.
                time.sleep(self._random.choice([0, 0, 0.05, 0.5]))
                self._random.choice([self._put, self._remove])(name)
            elif drawn < _LAPSES + _DELETIONS and name in self._present:
                self._remove(name)
            else:
                self._put(name)

    def _put(self, name: str, *, is_well: bool = True) -> None:
        self._number += 1
        number = str(self._number)
        metadata = {"name": name, "namespace": self._namespace, "annotations": {_ANNOTATION: number}}
        body = {
            "apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": metadata,
            **body_of(self.kind, self._number, is_well=is_well),
        }  # fmt: skip

        def put() -> None:
            if name in self._present:
                self._kube.patch(self.kind, name, self._namespace, body)
            else:
                self._kube.create(body)

        def is_done(present: Object | None) -> bool:
            return bool(present and present["metadata"].get("annotations", {}).get(_ANNOTATION) == number)

        self._do(name, put, is_done, is_well=is_well)
        self._present.add(name)

    def _remove(self, name: str) -> None:
        self._do(
            name, lambda: self._kube.delete(self.kind, name, self._namespace), lambda now: now is None,
            is_well=True,
        )  # fmt: skip
        self._present.discard(name)

    def _do(
        self, name: str, act: Callable[[], object], is_done: Callable[[Object | None], bool], *, is_well: bool
    ) -> None:
        """Make a change once: if the request failed, look whether it was made, and try again if not."""
        sent = time.monotonic()
        while True:
            try:
                act()
            except KubeError:
                if not is_done(self._get(name)):
                    time.sleep(_PAUSE)  # the API server is down on purpose, and nothing tells when it is back
                    continue
            self.writes.append(Write(self.kind, name, sent, time.monotonic(), is_well))
            return

    def _get(self, name: str) -> Object | None:
        while True:
            try:
                return self._kube.get(self.kind, name, self._namespace)
            except KubeError:
                time.sleep(_PAUSE)  # as above
