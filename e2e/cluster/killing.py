"""Killing a test process at a random moment, and looking for what it left on the host."""

from __future__ import annotations

import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fixtures.cluster.native.traces import Snapshot, Trace, new_since, snapshot

PHASES = ("start-up", "run", "teardown")
# Of ten kills; start-up is where most is under way.
_TURNS = (
    "start-up",
    "run",
    "start-up",
    "teardown",
    "start-up",
    "run",
    "start-up",
    "teardown",
    "run",
    "start-up",
)
# In seconds: how far into a phase a kill may come.
_HORIZON = {"start-up": 12.0, "run": 8.0, "teardown": 0.4}
# A trial waits for its part of the load, behind those of other processes.
_PHASE_SECONDS = 900
_ENDED = "end"
# Everything must be gone by then; the clusters' own promise is one second, of an idle machine.
GONE_SECONDS = 30.0
_LOOK_AGAIN = 0.05


@dataclass(frozen=True)
class Kill:
    """One kill and what came of it.

    Attributes:
        phase: What the process was about when it was killed.
        after: Seconds since that phase had begun.
        gone: Seconds until nothing was left, or as long as was waited if something was.
        left: What was still there then.
    """

    phase: str
    after: float
    gone: float
    left: list[Trace] = field(default_factory=list)


@dataclass(frozen=True)
class Killer:
    """Starts test processes and kills them.

    Attributes:
        log: File for what the processes say.
        mark: Begins the names of the clusters; on a host that others use too, only what bears it counts.
            Without one, the host must be idle, and everything new on it counts.
        command: The process, instead of `e2e.cluster.victim`; it is given a name and a folder.
        within: Seconds until all must be gone.
        also: Tells what else is left of the cluster of a name, where it is not on this host.
    """

    log: Path
    mark: str = ""
    command: Sequence[str] = (sys.executable, "-m", "e2e.cluster.victim")
    within: float = GONE_SECONDS
    also: Callable[[str], Sequence[Trace]] = lambda _: ()

    def kill_many(self, times: int, seed: int) -> Iterator[Kill]:
        """Start and kill `times` processes, at moments that `seed` decides, and yield each outcome.

        One that ended by itself before its moment came is not counted: another takes its turn.
        """
        dice = random.Random(seed)  # noqa: S311 - no secret
        before = snapshot([])
        for number in range(times):
            phase = _TURNS[number % len(_TURNS)]
            name = f"{self.mark or 'kill'}-{number}"
            while True:
                kill = self._kill(name, phase, dice.uniform(0, _HORIZON[phase]), before)
                if kill.phase != _ENDED or kill.left:
                    break
            yield kill

    def _kill(self, name: str, phase: str, after: float, before: Snapshot) -> Kill:
        with _folders(name) as (scratch, output), self.log.open("ab") as log:
            victim = _Victim([*self.command, name, str(output)], name, scratch, log)
            try:
                reached, since = victim.advance(phase, after)
            finally:
                victim.kill()
            killed = time.monotonic()
            while True:
                left = new_since(before, snapshot([scratch]), mark=name if self.mark else "")
                left = [trace for trace in left if trace.what not in {str(scratch), str(output)}]
                left += self.also(name)
                gone = time.monotonic() - killed
                if not left or gone >= self.within:
                    return Kill(reached, since, gone, left)
                # Processes, mounts and files of others: nothing tells when the last of them has gone.
                time.sleep(_LOOK_AGAIN)


class _Victim:
    def __init__(self, command: Sequence[str], name: str, scratch: Path, log: IO[bytes]) -> None:
        # Everything that belongs to it is to be known by its name: in its environment, its temporary
        # files and its clusters' folders.
        folders = {"TMPDIR": str(scratch), "XDG_RUNTIME_DIR": str(scratch)}
        environment = {**os.environ, **folders, "FIREDAMP_VICTIM": name}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        self._said: queue.Queue[tuple[str, float]] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def advance(self, phase: str, after: float) -> tuple[str, float]:
        """Let it come to `phase` and `after` seconds into it, or less if that ends earlier."""
        assert self._process.stdin
        if phase == "teardown":
            self._process.stdin.close()
        reached, began = "", 0.0
        while reached != phase:
            reached, began = self._said.get(timeout=_PHASE_SECONDS)
            assert reached, "the test process ended by itself; see the log"
        with suppress(queue.Empty):
            reached, began = self._said.get(timeout=max(0, began + after - time.monotonic()))
        return reached or _ENDED, time.monotonic() - began

    def kill(self) -> None:
        """End it as the kernel would: it gets no chance to tidy up."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._listener.join(5)

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout:
            for line in self._process.stdout:
                self._said.put((line.decode().strip(), time.monotonic()))
        self._said.put(("", time.monotonic()))


@contextmanager
def _folders(name: str) -> Iterator[tuple[Path, Path]]:
    """A folder for temporary files, in which nothing must stay, and one for what the trial writes."""
    folders = Path(tempfile.mkdtemp(prefix=f"{name}-tmp-")), Path(tempfile.mkdtemp(prefix=f"{name}-out-"))
    try:
        yield folders
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
