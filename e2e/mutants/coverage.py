"""Which share of each package's statements the tests reach, by Go's own counters."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from e2e.mutants import reach
from e2e.mutants.reach import Reached
from fixtures.artifacts import golang

# As in: github.com/argoproj/argo-rollouts/rollout coverage: 61.2% of statements
_LINE = re.compile(
    r"^\s*\S+?/argo-rollouts/(?P<package>\S+)\s+coverage: (?P<percent>[\d.]+)% of statements", re.MULTILINE
)


def percentages(folder: Path, reached: Iterable[Reached]) -> dict[str, float]:
    """Return the statements of each package that tests covered, in percent.

    Args:
        folder: The folder with the counters of all tests.
        reached: The tests that count. The counters of one go back to the start of its controller, so it
            brings those with it that ran before it in the same cluster.

    Raises:
        CommandError: Go cannot read the counters: https://pkg.go.dev/cmd/covdata
    """
    with tempfile.TemporaryDirectory() as own:
        for each in reached:
            for path in reach.counters(folder, each.test):
                link = Path(own) / path.name
                if not link.exists():
                    link.symlink_to(path.resolve())
        printed = golang.ask("tool", "covdata", "percent", f"-i={own}", folder=folder)
    return {each["package"]: float(each["percent"]) for each in _LINE.finditer(printed)}
