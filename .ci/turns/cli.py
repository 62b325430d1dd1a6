"""Print the share of all scenarios that CI runs besides those of `make test`, such as 2/6, or nothing.

It is nothing where making the components of all tests would take long: a new machine has enough to do with
those of `make test`. The reason is printed to the standard error output.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fixtures.core.errors import FiredampError
from fixtures.core.paths import cache_root
from fixtures.core.process import run
from turns.missing import seconds_to_make
from turns.turn import SHARES, Commit, turn_of

_ROOT = Path(__file__).parents[2]
# What they took on two processors that had nothing else to do; at worst it is twice as long.
_MOST_SECONDS = 600.0


def main() -> int:
    """Return the exit code: 0 also where there is no share."""
    try:
        seconds = seconds_to_make()
        if seconds > _MOST_SECONDS:
            print(
                f"no share of the other scenarios, because their components are not cached: making them would"
                f" take about {seconds / 60:.0f} min",
                file=sys.stderr,
            )
            return 0
        print(f"{turn_of(_commit(), cache_root() / 'shares.json')}/{SHARES}")
    except FiredampError as error:
        print(f"no share of the other scenarios: {error}", file=sys.stderr)
    return 0


def _commit() -> Commit:
    """The commit that is checked out; without its history, its number is one that differs by commit."""
    name = _git("rev-parse", "HEAD")
    is_whole = _git("rev-parse", "--is-shallow-repository") == "false"
    return Commit(name, int(_git("rev-list", "--count", "HEAD")) if is_whole else int(name[:8], 16))


def _git(*arguments: str) -> str:
    return run(["git", *arguments], timeout=60, cwd=_ROOT).strip()
