"""Makes random trouble for an API server, for etcd, and for the connections of a watcher."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from e2e.harness.watch_history.background import Background
from e2e.harness.watch_history.relay import FlakyRelay
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.providers.native.provider import NativeCluster

_BACK_SECONDS = 60
_INSIDE_SECONDS = 20
_END_SECONDS = 90


class Trouble(Background):
    """Makes trouble in a thread while its block runs, with pauses between.

    Attributes:
        happened: How often each kind of trouble was made.
    """

    def __init__(self, node: NativeCluster, relay: FlakyRelay, *, seed: int) -> None:
        """Make trouble for a node, and for the connections through a relay."""
        super().__init__("trouble", end_seconds=_END_SECONDS)
        self.happened: Counter[str] = Counter()
        self._node, self._relay = node, relay
        self._random = random.Random(f"{seed} trouble")

    def work(self) -> None:
        """Make trouble, and at the end let all connections pass again."""
        kinds: dict[str, tuple[Callable[[], None], int]] = {
            "API server killed": (lambda: self._kill("kube-apiserver"), 2),
            "etcd killed": (lambda: self._kill("etcd"), 2),
            "API server stopped and continued": (lambda: self._freeze("kube-apiserver"), 2),
            "etcd stopped and continued": (lambda: self._freeze("etcd"), 2),
            "connections cut": (self._relay.cut, 5),
            "connections held back, then passed on": (lambda: self._hold_back(self._relay.pass_on), 5),
            "connections held back, then cut": (lambda: self._hold_back(self._relay.cut), 5),
            "connections half open": (self._relay.hold_back, 4),
            "connections cut and new ones refused": (self._refuse, 3),
        }
        weights = [weight for _, weight in kinds.values()]
        try:
            while not self._stop.wait(self._random.uniform(0.2, 6)):
                (what,) = self._random.choices(list(kinds), weights)
                kinds[what][0]()
                self.happened[what] += 1
        finally:
            self._relay.refuse(False)
            self._relay.pass_on()

    def _hold_back(self, then: Callable[[], None]) -> None:
        self._relay.hold_back()
        self._stop.wait(self._random.uniform(0.2, 8))
        then()

    def _refuse(self) -> None:
        self._relay.refuse(True)
        self._relay.cut()
        self._stop.wait(self._random.uniform(0.2, 8))
        self._relay.refuse(False)

    def _kill(self, component: str) -> None:
        before = self._node.pid_of(component)
        self._node.inside(["kill", "-KILL", str(before)], timeout=_INSIDE_SECONDS)
        # Wait only until its new process runs: the next trouble may come before it serves.
        until(lambda: self._is_other(component, before), what=f"{component} started", timeout=_BACK_SECONDS)

    def _freeze(self, component: str) -> None:
        pid = str(self._node.pid_of(component))
        self._node.inside(["kill", "-STOP", pid], timeout=_INSIDE_SECONDS)
        # Not a wait on `_stop`: the component has to be continued also after the block has ended.
        time.sleep(self._random.uniform(0.2, 6))
        self._node.inside(["kill", "-CONT", pid], timeout=_INSIDE_SECONDS)

    def _is_other(self, component: str, before: int) -> None:
        try:
            now = self._node.pid_of(component)
        except FiredampError as error:
            raise PendingError(str(error)) from error
        if now == before:
            raise PendingError("it is still the one that was killed")
