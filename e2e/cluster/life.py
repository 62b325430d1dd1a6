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

# A trial waits for its part of the load, behind those of other processes.
_PHASE_SECONDS = 900
# Multiples of it, less whole numbers, are spread evenly however many there are.
# https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence
_GOLDEN = (5**0.5 - 1) / 2
# A phase takes longer now and then, and its end is where most is under way.
_LONGER = 1.15
_REMEMBERED = 8
ENDED = "end"


@dataclass(frozen=True)
class Phase:
    """A part of a life, which begins when the process says its name.

    Attributes:
        name: What it says.
        share: Of all kills, those that come in this phase.
        seconds: What it takes, until that has been seen.
    """

    name: str
    share: float
    seconds: float


# Without stack and trial, as the providers' conformance suite has it.
BARE = (Phase("start-up", 0.5, 12.0), Phase("run", 0.3, 3.0), Phase("teardown", 0.2, 0.4))


@dataclass(frozen=True)
class Moment:
    """When a kill is to come: how far into a phase, in seconds, if that lasts so long."""

    phase: str
    after: float


class Moments:
    """The moments of many kills, spread over a whole life as `seed` decides, and the same again for it."""

    def __init__(self, phases: Sequence[Phase], seed: int) -> None:
        self._phases = phases
        self._seed = seed
        self._seen: dict[str, list[float]] = defaultdict(list)

    def learn(self, seconds: Mapping[str, float]) -> None:
        """Take note of what phases have taken, by their names."""
        for name, took in seconds.items():
            self._seen[name].append(took)

    def draw(self, number: int, attempt: int) -> Moment:
        """The moment of the kill of that number; another one for each attempt."""
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
    """A process that says what it is about, one word a line, and goes on to its end when it is told to."""

    def __init__(self, command: Sequence[str], name: str, scratch: Path, log: IO[bytes]) -> None:
        # Everything that belongs to it is to be known by its name: in its environment, its temporary files,
        # its clusters' folders, and whatever it leaves in its home folder.
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
        """Let it come to a moment, or to the end of that phase if it is sooner, and return where it is.

        Args:
            moment: Where to.
            last: The phase that does not begin before it is told to go on.
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
        """End it as the kernel would: it gets no chance to tidy up.

        Args:
            with_group: Also whatever is in its process group, as a CI system does.
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
