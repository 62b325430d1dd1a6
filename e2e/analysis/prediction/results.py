"""The results of real releases, one JSON line each, so that a run can be stopped and continued."""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from scipy.stats import fisher_exact

from e2e.analysis.prediction.configurations import CONFIGURATIONS
from fixtures.check.detection import RUNS
from loadgen.statistics import Share

# A prediction that is right differs from what was seen in at most 1 of 100 cells.
ALPHA = 0.01


class Measurement(msgspec.Struct, frozen=True, array_like=True):
    """One measurement of an analysis.

    Attributes:
        t: Seconds after the AnalysisRun was first seen.
        value: What the controller wrote down.
        failed: How many measurements had failed by then.
    """

    t: float
    value: str
    failed: int


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A real release of a failing version.

    Attributes:
        batch: Which set of releases it belongs to. What differed from a prediction is repeated in another.
        configuration: A key of `configurations.CONFIGURATIONS`.
        version: The version that was released.
        share: The share of its requests that the version fails, 0 to 1.
        aborted: Whether the Rollout aborted it; otherwise it was promoted.
        seconds: From the deploy to the abort or the promotion.
        requests: How many requests the version answered until then.
        failures: How many of those it failed.
        first_request: Seconds from the first sight of the AnalysisRun to the first answer of the version.
        measurements: What the controller measured.
        predicted: The probability of an abort that the simulation of that day gave, 0 to 1.
        running: Seconds from the moment at which a pod of the version ran to the first sight of the
            AnalysisRun; None where it was not noted.
        ready: The same from the moment at which it was ready.
    """

    batch: int
    configuration: str
    version: str
    share: float
    aborted: bool
    seconds: float
    requests: int
    failures: int
    first_request: float
    measurements: tuple[Measurement, ...]
    predicted: float
    running: float | None = None
    ready: float | None = None


@dataclass(frozen=True)
class Cell:
    """The releases of one version with one configuration.

    Attributes:
        configuration: A key of `configurations.CONFIGURATIONS`.
        share: The share of its requests that the version fails, 0 to 1.
        predicted: The probability of an abort that was predicted for these releases, 0 to 1.
        aborted: How many releases were aborted, of how many.
    """

    configuration: str
    share: float
    predicted: float
    aborted: Share

    @property
    def agrees(self) -> bool:
        """Whether Fisher's exact test does not tell the simulated releases from the real ones, at `ALPHA`."""
        seen, simulated = self.aborted, round(self.predicted * RUNS)
        table = [[seen.k, seen.n - seen.k], [simulated, RUNS - simulated]]
        return float(fisher_exact(table).pvalue) >= ALPHA


def cells(releases: Sequence[Release]) -> list[Cell]:
    """The cells of a table, by configuration, and by falling share of failures."""
    order = list(CONFIGURATIONS)
    grouped: dict[tuple[int, float], list[Release]] = defaultdict(list)
    for each in releases:
        grouped[order.index(each.configuration), -each.share].append(each)
    return [
        Cell(
            order[place],
            -negative,
            statistics.mean(each.predicted for each in group),
            Share(sum(each.aborted for each in group), len(group), ALPHA),
        )
        for (place, negative), group in sorted(grouped.items())
    ]


class Results:
    """A file of results, to which several threads append."""

    def __init__(self, path: Path) -> None:
        """Read the file, if there is one."""
        self._path, self._lock = path, threading.Lock()
        self.releases: list[Release] = list(read(path)) if path.exists() else []

    def add(self, release: Release) -> None:
        """Append a release to the file."""
        with self._lock:
            self.releases.append(release)
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(release) + b"\n")

    def count(self, batch: int, configuration: str, version: str) -> int:
        """How many releases there are of a version with a configuration in a batch."""
        key = (batch, configuration, version)
        with self._lock:
            return sum((each.batch, each.configuration, each.version) == key for each in self.releases)


def read(path: Path) -> Sequence[Release]:
    """The releases in a file."""
    return [msgspec.json.decode(line, type=Release) for line in path.read_bytes().splitlines()]
