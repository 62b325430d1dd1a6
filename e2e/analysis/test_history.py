"""When the analysis of a version ends that is not released any more, and which ended ones stay."""

from __future__ import annotations

import pytest

from e2e.analysis.metrics import BARE, GOOD, metric
from e2e.analysis.variants import background, template
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, manifest_of, spec_of
from fixtures.conditions.conditions import paused_at
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object
from fixtures.kube.kinds import ANALYSIS_RUN
from fixtures.trial.trial import Trial

_VERSIONS = ("1.1", "1.2-slow", "1.2-5xx", "1.2-leak")
_AT_ONCE = 20


@pytest.mark.scenario("an-12")
def test_the_analysis_of_a_superseded_version_ends_and_the_newest_ended_one_stays(
    trial: StartTrial, numbers: Report
) -> None:
    endless = metric("endless", GOOD, BARE, count=1000)
    change = combined(canary_steps(20, None), template("endless", endless), background("endless"), _keep_one)
    with trial("canary", variant=change) as app:
        started: list[str] = []
        for version in _VERSIONS:
            app.deploy(version)
            app.wait(paused_at(1), within=60)
            until(lambda: _require(app, started), what=f"the analysis of {version} alone", timeout=_AT_ONCE)
            started.append(_running(app)[0])
        runs = app.kube.list(ANALYSIS_RUN, app.namespace)[0]
    assert {metric["name"] for run in runs for metric in run["spec"]["metrics"]} == {"endless"}
    numbers(analyses=f"{len(started)} began, 1 is Running, 1 ended one is kept")


def _nested(objects: list[Object]) -> None:
    """An AnalysisTemplate that only refers to another one.

    https://argo-rollouts.readthedocs.io/en/stable/features/analysis/#analysistemplate-referencing-other-analysistemplates
    """
    template("nested")(objects)
    spec = manifest_of(objects, "AnalysisTemplate", "nested")["spec"]
    del spec["metrics"]
    spec["templates"] = [{"templateName": "endless"}]


def _keep_one(objects: list[Object]) -> None:
    spec_of(objects)["analysis"] = {"successfulRunHistoryLimit": 1}


def _require(app: Trial, before: list[str]) -> None:
    """One analysis runs, a new one, and of those that ended there is the newest and no other."""
    running, ended = _running(app), _phases(app)
    for name in running:
        del ended[name]
    if len(running) != 1 or running[0] in before or list(ended) != before[-1:]:
        raise PendingError(f"running: {running}; ended: {ended}; began before: {before}")


def _running(app: Trial) -> list[str]:
    return [name for name, phase in _phases(app).items() if phase in ("", "Pending", "Running")]


def _phases(app: Trial) -> dict[str, str]:
    """The phase of each AnalysisRun."""
    runs = app.kube.list(ANALYSIS_RUN, app.namespace)[0]
    return {each["metadata"]["name"]: each.get("status", {}).get("phase", "") for each in runs}
