"""The life of a process that is to be killed: its phases, a moment in them, and the process itself."""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fixtures.core.paths import cache_root

# Long, because a trial may wait until other processes release their part of the machine's load.
_PHASE_SECONDS = 900
# The fractional parts of its multiples are spread evenly, however many there are.
# https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence
_GOLDEN = (5**0.5 - 1) / 2
# Moments go beyond the usual length of a phase: it takes longer now and then, and most happens near its end.
_LONGER = 1.15
_REMEMBERED = 8
ENDED = "end"


@dataclass(frozen=True)
class Phase:
    """A phase of the life of a process, which begins when the process prints its name.

    Attributes:
        name: The name that it prints.
        share: The share of all kills that come in this phase, 0 to 1.
        seconds: How long it is assumed to take, until its length has been measured.
    """

    name: str
    share: float
    seconds: float


# A life without stack and trial, as in the providers' conformance suite.
BARE = (Phase("start-up", 0.5, 12.0), Phase("run", 0.3, 3.0), Phase("teardown", 0.2, 0.4))


@dataclass(frozen=True)
class Moment:
    """When to kill: so many seconds after the beginning of a phase, or at its end if that is sooner."""

    phase: str
    after: float


class Moments:
    """The moments of many kills, spread over a whole life; the same `seed` gives the same moments."""

    def __init__(self, phases: Sequence[Phase], seed: int) -> None:
        self._phases = phases
        self._seed = seed
        self._seen: dict[str, list[float]] = defaultdict(list)

    def learn(self, seconds: Mapping[str, float]) -> None:
        """Take note of how long phases took, by their names."""
        for name, took in seconds.items():
            self._seen[name].append(took)

    def draw(self, number: int, attempt: int) -> Moment:
        """The moment of the kill with this number; each attempt gets another one."""
        dice = random.Random(f"{self._seed} {attempt}")
        place = (dice.random() + number * _GOLDEN) % 1
        for phase in self._phases:
            if place < phase.share:
                return Moment(phase.name, place / phase.share * self._length(phase))
            place -= phase.share
        last = self._phases[-1]
        return Moment(last.name, self._length(last))

    def _length(self, phase: Phase) -> float:
        seen = self._seen[phase.name][-_REMEMBERED:]
        return max(seen) * _LONGER if seen else phase.seconds


def _docker_config() -> str:
    return os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))


class Victim:
    """A process that prints the name of each phase that it begins, and waits before the last one."""

    def __init__(self, command: Sequence[str], name: str, scratch: Path, log: IO[bytes]) -> None:
        # Its name is in all that belongs to it, so that it can be found: in its environment, and in the paths
        # of its temporary files, its clusters' folders, and its home folder.
        folders = dict.fromkeys(("TMPDIR", "XDG_RUNTIME_DIR", "HOME"), str(scratch))
        folders |= {"XDG_CACHE_HOME": str(cache_root().parent), "DOCKER_CONFIG": _docker_config()}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **folders, "FIREDAMP_VICTIM": name},
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        self._said: queue.Queue[tuple[str, float]] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.seconds: dict[str, float] = {}

    def advance(self, moment: Moment, *, last: str) -> Moment:
        """Let it run to a moment, or to the end of that phase if that is sooner; return the moment reached.

        Args:
            moment: The moment to run to.
            last: The name of the last phase, which begins only when the process is told to go on.
        """
        assert self._process.stdin
        if moment.phase == last:
            self._process.stdin.close()
        reached, began = self._said.get(timeout=_PHASE_SECONDS)
        while reached != moment.phase:
            reached, began = self._next(reached, began, _PHASE_SECONDS)
            assert reached, "the test process ended by itself; see the log"
        with suppress(queue.Empty):
            reached, began = self._next(reached, began, began + moment.after - time.monotonic())
        return Moment(reached or ENDED, time.monotonic() - began)

    def kill(self, *, with_group: bool) -> None:
        """Kill it with SIGKILL, so that it cannot clean up.

        Args:
            with_group: Whether to kill its whole process group, as a CI system does.
        """
        with suppress(ProcessLookupError):
            (os.killpg if with_group else os.kill)(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._listener.join(5)

    def _next(self, phase: str, began: float, within: float) -> tuple[str, float]:
        reached, at = self._said.get(timeout=max(0.0, within))
        self.seconds[phase] = at - began
        return reached, at

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout:
            for line in self._process.stdout:
                self._said.put((line.decode().strip(), time.monotonic()))
        self._said.put(("", time.monotonic()))
