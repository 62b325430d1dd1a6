"""Compare what `firedamp check --rate` predicts with what becomes of real releases of failing versions.

Each configuration is released with versions that fail a known share of their requests, several times each.
The share of releases that were aborted has an exact interval at 99%; the prediction has to be in it.

    nice python -m e2e.analysis.prediction --releases 10
    nice python -m e2e.analysis.prediction --releases 3 --configuration step
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.analysis.variants import inline, per_version, step
from e2e.types import Variant
from e2e.variants import canary_steps, combined, judged_by
from fixtures.apps.analyses import analyses
from fixtures.apps.app import App
from fixtures.check.detection import outlook
from fixtures.conditions.conditions import aborted, promoted, scaled_to
from fixtures.conditions.expectation import any_of
from fixtures.core.progress import Phases
from fixtures.core.terminal import say
from fixtures.environment.environment import Environment, Options, start
from fixtures.timeline.records import RolloutRecord
from fixtures.trial.sample import sample_trial
from fixtures.trial.sample_baseline import baseline
from fixtures.trial.trial import Trial
from loadgen.statistics import Share
from sample_app.versions import IMAGE

# By version, the share of its requests that it fails.
FAILING: Mapping[str, float] = {"1.2-5xx-20": 0.2, "1.2-5xx-5": 0.05}
CONFIGURATIONS: Mapping[str, Variant] = {
    "background": combined(judged_by("success-rate"), canary_steps(10, "16s", 50, "4s")),
    "short": combined(judged_by("success-rate"), canary_steps(5, "13s")),
    "step": combined(per_version(8, inconclusive_limit=7), inline(20, "12s", step("per-version"), 50, "2s")),
}
RATE = 40.0
_ALPHA = 0.01
_RELEASE_SECONDS = 120.0


@dataclass(frozen=True)
class Row:
    """A configuration and a version.

    Attributes:
        configuration: A key of `CONFIGURATIONS`.
        version: A key of `FAILING`.
        predicted: The share of releases that check predicts to be aborted, 0 to 1.
        releases: The share of the real releases that were aborted.
    """

    configuration: str
    version: str
    predicted: float
    releases: Share

    @property
    def agrees(self) -> bool:
        """Whether the prediction is within the interval of what was seen."""
        return self.releases.contains(self.predicted)

    def __str__(self) -> str:
        verdict = "agrees" if self.agrees else "differs"
        return (
            f"{self.configuration:12} {self.version:12} predicted {self.predicted:6.1%}   "
            f"aborted {self.releases.k} of {self.releases.n}: {self.releases}   {verdict}"
        )


def predicted(app: App, share: float) -> float:
    """The share of releases of a version that fails a share of its requests which are aborted, 0 to 1.

    Args:
        app: A canary.
        share: One of those that check simulates.
    """
    result = outlook(app, analyses(app), RATE)
    assert result is not None, f"nothing of {app.workload.label} can be simulated"
    return next(row.aborted for row in result.rows if row.share == share)


def app_of(configuration: str) -> App:
    """The sample API's canary in a configuration."""
    return baseline("canary", version="1.0", image=IMAGE, variant=CONFIGURATIONS[configuration]).app


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--releases", type=int, default=10, help="of each version, with each configuration")
    parser.add_argument("--configuration", choices=sorted(CONFIGURATIONS), help="only this one")
    options = parser.parse_args()
    chosen = [options.configuration] if options.configuration else list(CONFIGURATIONS)
    rows = []
    with start(Options(), Phases()) as environment, tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            for row in _rows(environment, name, options.releases, Path(folder) / name):
                say(str(row))
                rows.append(row)
    return 0 if all(row.agrees for row in rows) else 1


def _rows(environment: Environment, name: str, releases: int, folder: Path) -> Iterator[Row]:
    with (
        sample_trial(environment, "canary", folder, variant=CONFIGURATIONS[name]) as app,
        app.traffic(RATE),
    ):
        for version, share in FAILING.items():
            ended = [_is_aborted(app, version) for _ in range(releases)]
            yield Row(name, version, predicted(app_of(name), share), Share(sum(ended), len(ended), _ALPHA))


def _is_aborted(app: Trial, version: str) -> bool:
    """Release a version, return whether it was aborted, and go back to the good one."""
    app.deploy(version)
    app.wait(any_of(aborted(version=version), promoted(version)), within=_RELEASE_SECONDS)
    is_aborted = app.records().of(RolloutRecord)[-1].abort
    app.deploy("1.0")
    if not is_aborted:
        app.promote(full=True)
    app.wait(promoted("1.0"), within=_RELEASE_SECONDS)
    # Pods that are still there would be known to Prometheus when the next release of the version begins.
    app.wait(scaled_to(0, version), within=_RELEASE_SECONDS)
    return is_aborted


if __name__ == "__main__":
    sys.exit(main())
