"""A file with the outcomes of kills, one line each, to which later runs add their own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e.cluster.killing import Kill
from fixtures.providers.native.traces import Trace


@dataclass(frozen=True)
class KillSettings:
    """The settings of the kills, in the file's first line; a later run must have the same ones."""

    provider: str
    seed: int
    gitops: bool = False


@dataclass
class Ledger:
    """The kills so far, and the file that they are written to, if there is one."""

    settings: KillSettings
    path: Path | None = None
    kills: list[Kill] = field(default_factory=list)

    def add(self, kill: Kill) -> None:
        """Add a kill, and write it to the file at once."""
        self.kills.append(kill)
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(dataclasses.asdict(kill)) + "\n")


def opened(path: Path | None, settings: KillSettings) -> Ledger:
    """Return the ledger in a file, which is created if it does not exist. An existing file's seed is used.

    Raises:
        ValueError: The file has kills with other settings.
    """
    if path is None or not path.exists():
        if path:
            path.write_text(json.dumps(dataclasses.asdict(settings)) + "\n")
        return Ledger(settings, path)
    first, *rest = path.read_text().splitlines()
    known = KillSettings(**json.loads(first))
    if dataclasses.replace(known, seed=settings.seed) != settings:
        raise ValueError(f"{path} has kills of {known}")
    return Ledger(known, path, [_kill(line) for line in rest])


def summary(kills: Sequence[Kill], phases: Sequence[str]) -> str:
    """A summary of all kills, as lines of text."""
    gone = sorted(kill.gone for kill in kills)
    dirty = [kill for kill in kills if kill.left]
    leaks = sum("secret" in trace.kind for kill in kills for trace in kill.left)
    counts = ", ".join(f"{name} {sum(kill.phase == name for kill in kills)}" for name in phases)
    searched = sum(kill.secrets for kill in kills)
    return (
        f"{len(kills)} kills ({counts}; {sum(kill.with_group for kill in kills)} with the process group)\n"
        f"{len(dirty)} left something; of {searched:,} secrets that were looked for, {leaks} were found\n"
        f"until all was gone: median {gone[len(gone) // 2]:.2f} s, 95% {gone[len(gone) * 95 // 100]:.2f} s, "
        f"most {gone[-1]:.2f} s"
    )


def _kill(line: str) -> Kill:
    document = json.loads(line)
    return Kill(**{**document, "left": [Trace(**each) for each in document["left"]]})
