"""Releases failing versions many times, in several namespaces side by side."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from e2e.analysis.prediction.configurations import CONFIGURATIONS, RATE, predictions
from e2e.analysis.prediction.results import Measurement, Release, Results
from fixtures.conditions.conditions import aborted, promoted, scaled_to
from fixtures.conditions.expectation import any_of
from fixtures.core.errors import FiredampError
from fixtures.core.terminal import say
from fixtures.environment.environment import Environment
from fixtures.environment.versions import load_version
from fixtures.kube.kinds import ROLLOUT
from fixtures.timeline.records import AnalysisRecord, PodRecord
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE, Trial

# By version, the share of its requests that it fails.
FAILING: Mapping[str, float] = {"1.2-5xx": 1.0, "1.2-5xx-20": 0.2, "1.2-5xx-5": 0.05, "1.2-5xx-1": 0.01}
_RELEASE_SECONDS = 120.0
_RELEASES_PER_TRIAL = 4


@dataclass
class Plan:
    """Which releases are still to be made, and until when new ones begin.

    Attributes:
        results: Where they are written.
        batch: The batch that they belong to.
        releases: How many are made of each version with each configuration.
        cells: The configurations and versions.
        until: No release begins after this moment, in seconds of `time.monotonic`.
    """

    results: Results
    batch: int
    releases: int
    cells: Sequence[tuple[str, str]]
    until: float
    _begun: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def missing(self, configuration: str, version: str) -> int:
        """How many releases nobody has begun yet."""
        key = (configuration, version)
        done = self.results.count(self.batch, configuration, version) + self._begun.count(key)
        return self.releases - done if key in self.cells else 0

    def begin(self, configuration: str, versions: deque[str]) -> str:
        """The next version to be released, which then counts as begun; "" if none is left, or no time."""
        with self._lock:
            if time.monotonic() > self.until:
                return ""
            for _ in range(len(versions)):
                # In turns, so that the series of one version have ended before its next release.
                versions.rotate(-1)
                if self.missing(configuration, versions[0]) > 0:
                    self._begun.append((configuration, versions[0]))
                    return versions[0]
        return ""

    def end(self, configuration: str, version: str) -> None:
        """Note that a release which was begun is in the results, or has no result."""
        with self._lock:
            self._begun.remove((configuration, version))


def run(environment: Environment, plan: Plan, folder: Path, *, side_by_side: int) -> None:
    """Make the releases of a plan.

    Args:
        environment: The cluster.
        plan: What is to be done.
        folder: For timelines and requests.
        side_by_side: In how many namespaces.
    """
    for name in CONFIGURATIONS:
        _predictions(name)
    for version in FAILING:
        load_version(environment, environment.payments_image, version)
    with ThreadPoolExecutor(side_by_side) as pool:
        workers = [pool.submit(_work, environment, plan, folder, index) for index in range(side_by_side)]
        for each in workers:
            each.result()


def _work(environment: Environment, plan: Plan, folder: Path, index: int) -> None:
    """Release in one namespace after the other, until nothing is left."""
    names = deque(CONFIGURATIONS)
    names.rotate(-index)
    trial = 0
    while time.monotonic() < plan.until:
        is_left = {name: any(plan.missing(name, version) > 0 for version in FAILING) for name in names}
        name = next((each for each in names if is_left[each]), "")
        if not name:
            return
        trial += 1
        names.rotate(-1)
        try:
            _releases(environment, plan, folder / f"{index}-{trial}", name, index + trial)
        except FiredampError as error:
            say(f"{name}: {error}")


@cache
def _predictions(configuration: str) -> Mapping[float, float]:
    return predictions(configuration, tuple(FAILING.values()))


def _releases(environment: Environment, plan: Plan, folder: Path, name: str, turn: int) -> None:
    """Release a few versions after each other; they count only if the load was as it should be all the time.

    A version that was promoted ends the trial, whose good version it has replaced.
    """
    versions, releases, begun = deque(FAILING), list[Release](), list[str]()
    versions.rotate(turn)
    try:
        app = sample_trial(
            environment, "canary", folder, replicas=1, variant=CONFIGURATIONS[name], later=_never
        )
        with app, app.traffic(RATE):
            while len(begun) < _RELEASES_PER_TRIAL and (version := plan.begin(name, versions)):
                begun.append(version)
                releases.append(_release(app, plan.batch, name, version))
                if not releases[-1].aborted:
                    break
                app.deploy("1.0")
                app.wait(promoted("1.0"), within=_RELEASE_SECONDS)
                app.wait(scaled_to(0, version), within=_RELEASE_SECONDS)
        for each in releases:
            plan.results.add(each)
            ended = "aborted" if each.aborted else "promoted"
            say(f"{name} {each.version}: {ended} in {each.seconds:.1f} s, {each.failures} of {each.requests}")
    finally:
        for version in begun:
            plan.end(name, version)


def _never(_: object) -> None:
    """Leave the report of a trial out, which nobody reads."""


def _release(app: Trial, batch: int, configuration: str, version: str) -> Release:
    deployed = app.timeline.clock()
    app.deploy(version)
    app.wait(any_of(aborted(version=version), promoted(version)), within=_RELEASE_SECONDS)
    ended = app.timeline.clock()
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    records = app.records().between(deployed)
    current = rollout["status"]["currentPodHash"]
    runs = [each for each in records.present(AnalysisRecord) if each.hash == current]
    answers = [each for each in records.attributed().stream(ACTIVE) if each.version == version]
    began = runs[0].t if runs else deployed
    pods = [each for each in records.present(PodRecord) if each.hash == current and each.phase == "Running"]
    return Release(
        batch=batch,
        configuration=configuration,
        version=version,
        share=FAILING[version],
        aborted=bool(rollout["status"].get("abort")),
        seconds=round(ended - deployed, 2),
        requests=len(answers),
        failures=sum(each.status >= 500 for each in answers),
        first_request=round(answers[0].t - began, 2) if answers else -1.0,
        predicted=_predictions(configuration)[FAILING[version]],
        measurements=tuple(_measurement(each, began) for each in runs if each.count or each.error),
        running=_before(began, pods),
        ready=_before(began, [each for each in pods if each.ready]),
    )


def _measurement(record: AnalysisRecord, began: float) -> Measurement:
    # Four decimals tell all shares apart that few requests can have.
    value = re.sub(r"(?<=\.\d{4})\d+", "", record.value or record.message)
    return Measurement(round(record.t - began, 2), value, record.failed)


def _before(began: float, pods: Sequence[PodRecord]) -> float | None:
    return round(began - pods[0].t, 2) if pods else None
