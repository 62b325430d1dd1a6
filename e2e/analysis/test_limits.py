"""How many bad measurements an analysis tolerates, by each of its limits."""

from __future__ import annotations

import time

import pytest

from e2e import variants
from e2e.analysis import runs
from e2e.analysis.metrics import BARE, metric
from e2e.analysis.variants import inline, step, template
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import Object
from fixtures.kube.kinds import ANALYSIS_RUN, ANALYSIS_TEMPLATE
from fixtures.trial.trial import ACTIVE, Trial

# The first measurement is within these seconds, however busy the controller is; the second comes after them.
_BAD_SECONDS, _INTERVAL_SECONDS = 20.0, 25
# The controller hears of templates and of Rollouts by two watches.
_TOLD_SECONDS = 3.0


@pytest.mark.scenario("an-2")
def test_one_bad_measurement_aborts_or_is_survived_as_the_failure_limit_says(
    trial: StartTrial, numbers: Report
) -> None:
    blip = template("blip", _blip(limit=0, until=0))
    with trial("canary", variant=variants.combined(blip, inline(25, None, step("blip"), 50, "2s"))) as app:
        with app.traffic(50):
            app.deploy("1.1")
            app.wait(all_of(paused_at(1), weight_is(25)), within=90)
            _go_on(app, limit=0)
            app.wait_contained("1.1", within=60)
            app.retry()
            app.wait(all_of(paused_at(1), weight_is(25)), within=90)
            _go_on(app, limit=1)
            app.wait(promoted("1.1"), within=120)
        answered = assert_no_errors(app.records(), stream=ACTIVE)
        strict, lenient = _runs(app)
        assert (strict["phase"], _counts(strict)) == ("Failed", (0, 1, 1)), strict
        assert "failed (1) > failureLimit (0)" in strict["message"]
        assert (lenient["phase"], _counts(lenient)) == ("Successful", (1, 1, 2)), lenient
    numbers(
        failureLimit_0=f"{strict['phase']} after 1 bad measurement of 1; aborted",
        failureLimit_1=f"{lenient['phase']} after 1 bad measurement of 2; promoted",
        failed_requests=f"0 of {answered:,}",
    )


def _go_on(app: Trial, *, limit: int) -> None:
    """Promote to the analysis, whose answers are bad for the next seconds only."""
    until = time.time() + _TOLD_SECONDS + _BAD_SECONDS
    patch = {"spec": {"metrics": [_blip(limit=limit, until=until)]}}
    app.kube.patch(ANALYSIS_TEMPLATE, "blip", app.namespace, patch)
    app.holds(paused_at(1), for_=_TOLD_SECONDS)
    app.promote()


def _blip(*, limit: int, until: float) -> Object:
    query = f"vector(time() > bool {until:.1f})"
    return metric("blip", query, BARE, interval=f"{_INTERVAL_SECONDS}s", count=2, failureLimit=limit)


def _runs(app: Trial) -> list[Object]:
    """What the AnalysisRuns came to, oldest first."""
    runs, _ = app.kube.list(ANALYSIS_RUN, app.namespace)
    return [run["status"] for run in sorted(runs, key=lambda run: str(run["status"]["startedAt"]))]


def _counts(status: Object) -> tuple[int, int, int]:
    """Good, bad and all measurements of a run."""
    result = runs.measured(status)
    return result.get("successful", 0), result.get("failed", 0), result["count"]
