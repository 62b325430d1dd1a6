"""Which share of each package's statements the tests reach, by Go's own counters."""

from __future__ import annotations

import re
from pathlib import Path

from fixtures.artifacts import golang

# As in: github.com/argoproj/argo-rollouts/rollout coverage: 61.2% of statements
_LINE = re.compile(
    r"^\s*\S+?/argo-rollouts/(?P<package>\S+)\s+coverage: (?P<percent>[\d.]+)% of statements", re.MULTILINE
)


def percentages(folder: Path) -> dict[str, float]:
    """Return the covered statements in percent of each package, from the counters in a folder.

    Raises:
        CommandError: Go cannot read the counters: https://pkg.go.dev/cmd/covdata
    """
    printed = golang.ask("tool", "covdata", "percent", f"-i={folder}", folder=folder)
    return {each["package"]: float(each["percent"]) for each in _LINE.finditer(printed)}
