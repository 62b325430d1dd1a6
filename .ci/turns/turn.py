"""Which share a commit has: one that none of the commits before it had, until all have had their turn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

# As many runs in a row have every scenario.
SHARES = 6


@dataclass(frozen=True)
class Commit:
    """A commit.

    Attributes:
        name: Its hash.
        number: How many commits there are up to it. It decides where nothing is known of earlier runs.
    """

    name: str
    number: int


def turn_of(commit: Commit, path: Path) -> int:
    """The number of a commit's share, from 1 to `SHARES`; a commit that comes again has the same one.

    Args:
        commit: The commit.
        path: The last commits with their shares; it is brought up to date.
    """
    before = _read(path)
    known = dict(before)
    if commit.name in known:
        return known[commit.name]
    free = [share for share in range(1, SHARES + 1) if share not in known.values()]
    share = free[commit.number % len(free)]
    kept = [*before, (commit.name, share)][-(SHARES - 1) :]
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_suffix(".new")
    own.write_text(json.dumps(kept))
    own.replace(path)
    return share


def _read(path: Path) -> list[tuple[str, int]]:
    """The last commits but for those that make no sense; none where there is no such file."""
    try:
        turns = [(str(name), int(share)) for name, share in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []
    return turns[-(SHARES - 1) :]
