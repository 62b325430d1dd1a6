"""Kills a test process at a chosen moment of its life, and looks for what it left on the host."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from e2e.cluster import leaks
from e2e.cluster.life import BARE, ENDED, Moment, Moments, Phase, Victim
from fixtures.providers.native.traces import Snapshot, Trace, new_since, snapshot

# Everything must be gone after this time. Clusters promise one second, but on an idle machine.
GONE_SECONDS = 30.0
_LOOK_AGAIN = 0.05


@dataclass(frozen=True)
class Kill:
    """One kill and its outcome.

    Attributes:
        phase: The phase in which the process was killed.
        after: Seconds from the beginning of that phase to the kill.
        with_group: Whether its process group was killed with it.
        secrets: How many secrets its cluster had at that time; each of them was searched for.
        gone: Seconds until nothing was left, or for which the killer waited in vain.
        left: What was still there after that time, and where secrets were found.
        seconds: How long each finished phase took, in seconds.
    """

    phase: str
    after: float
    with_group: bool
    secrets: int
    gone: float
    left: list[Trace] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Killer:
    """Starts test processes and kills them.

    Attributes:
        log: File for the output of the processes.
        mark: Begins the clusters' names. On a host that others use, only traces with this mark count.
            If it is empty, the host must be idle, and everything new on it counts.
        command: The command of the process; a name and a folder are appended.
        phases: The phases of its life. The process waits before the last one until it is told to go on.
        within: Seconds after which nothing may be left.
        also: Returns what else is left of the cluster of a name, outside of this host's own traces.
    """

    log: Path
    mark: str
    command: Sequence[str]
    phases: Sequence[Phase] = BARE
    within: float = GONE_SECONDS
    also: Callable[[str], Sequence[Trace]] = lambda _: ()

    def kill_many(self, times: int, seed: int, *, done: Sequence[Kill] = ()) -> Iterator[Kill]:
        """Start and kill `times` processes, at moments that `seed` decides, and yield each outcome.

        A process that ended by itself before its moment is not counted; another one is started for it.

        Args:
            times: How many kills in all.
            seed: Decides the moments. The same seed gives the same moments, apart from how long phases take.
            done: The outcomes of an earlier call with this seed, which are counted and not repeated.
        """
        moments = Moments(self.phases, seed)
        for kill in done:
            moments.learn(kill.seconds)
        before = snapshot([])
        for number in range(len(done), times):
            kill = self._kill_once(number, moments, before)
            moments.learn(kill.seconds)
            yield kill

    def _kill_once(self, number: int, moments: Moments, before: Snapshot) -> Kill:
        attempt = 0
        while True:
            kill = self._kill(
                f"{self.mark or 'kill'}-{number}", moments.draw(number, attempt), number, before
            )
            if kill.phase != ENDED or kill.left:
                return kill
            attempt += 1

    def _kill(self, name: str, moment: Moment, number: int, before: Snapshot) -> Kill:
        began = time.time()
        with _folders(name) as (scratch, output), self.log.open("ab") as log:
            victim = Victim([*self.command, name, str(output)], name, scratch, log)
            with_group = bool(number % 2)
            try:
                reached = victim.advance(moment, last=self.phases[-1].name)
                secrets = leaks.secrets_in(scratch)
                left = leaks.exposed(secrets)
            finally:
                victim.kill(with_group=with_group)
            gone, remains = self._await_end(name, (scratch, output), before)
            left += [*remains, *leaks.left(secrets, began - 1, also=[output])]
        return Kill(reached.phase, reached.after, with_group, len(secrets), gone, left, victim.seconds)

    def _await_end(self, name: str, own: tuple[Path, Path], before: Snapshot) -> tuple[float, list[Trace]]:
        """Seconds until nothing is left of a killed process, or time is up, and what is left then."""
        killed = time.monotonic()
        while True:
            left = new_since(before, snapshot([own[0]]), mark=name if self.mark else "")
            left = [trace for trace in left if trace.what not in {str(folder) for folder in own}]
            left += self.also(name)
            gone = time.monotonic() - killed
            if not left or gone >= self.within:
                return gone, left
            # Polled, because nothing announces when the last process, mount or file is gone.
            time.sleep(_LOOK_AGAIN)


@contextmanager
def _folders(name: str) -> Iterator[tuple[Path, Path]]:
    """A folder for temporary files, in which nothing may stay, and one for the results of the trial."""
    folders = Path(tempfile.mkdtemp(prefix=f"{name}-tmp-")), Path(tempfile.mkdtemp(prefix=f"{name}-out-"))
    try:
        yield folders
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
