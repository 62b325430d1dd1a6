"""An experiment before the first step: a new pod of the old version is compared with one of the new."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.canary.aborting import share_since_its_first_response
from e2e.canary.experiments import (
    BASELINE,
    CANARY,
    experiment_pods_are,
    run_phases,
    share_of_pods,
    side_by_side,
)
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import windows
from fixtures.judge.release.release import release_of
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors, assert_share
from fixtures.kube.kinds import EXPERIMENT
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial

_RATE = 100.0
_WEIGHT = 10
# More than the template's inconclusiveLimit, so that some have to have data.
_MEASUREMENTS = 24
_STEPS = variants.canary_steps(side_by_side(weight=_WEIGHT, measurements=_MEASUREMENTS), None)
_VARIANT = variants.combined(variants.without_analysis, _STEPS)


@pytest.mark.scenario("can-16")
def test_a_good_version_passes_beside_a_fresh_pod_of_the_old_one(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_VARIANT) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            app.wait(experiment_pods_are(BASELINE, CANARY), within=45)
            app.wait(paused_at(1), within=120)
            app.wait(experiment_pods_are(), within=60)
            app.promote()
            app.wait(promoted("1.1"), within=60)
        records = app.records()

        during = windows(records, stream=ACTIVE)[0]
        assert during.weights == {"1.0": 100 - _WEIGHT, "1.1": _WEIGHT}
        new = assert_share(records, stream=ACTIVE, version="1.1", weight=_WEIGHT, window=during.window)
        old = share_of_pods(records, ACTIVE, BASELINE, during.window)
        assert old.contains(_WEIGHT / 100), f"the baseline's weight is {_WEIGHT}%, its share {old}"
        assert run_phases(records) == {BASELINE: "Successful", CANARY: "Successful"}
        assert _experiment(app) == "Successful"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        share_of_the_canary_of_the_experiment=new,
        share_of_its_baseline=old,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-16")
def test_a_broken_version_fails_beside_the_old_one_and_is_aborted(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_VARIANT) as app:
        with app.traffic(_RATE):
            app.deploy("1.2-5xx")
            app.wait(aborted(version="1.2-5xx"), within=90)
            gone = all_of(experiment_pods_are(), weight_is(0))
            app.wait(gone, within=60)
            app.stays(gone, weights={"1.0": 100})
        records = app.records()

        phases = run_phases(records)
        assert phases[CANARY] == "Failed"
        assert phases[BASELINE] == "Successful", "the old version failed too, or was not judged to the end"
        assert _experiment(app) == "Failed"
        release = release_of(records, version="1.2-5xx", stream=ACTIVE)
        broken = share_since_its_first_response(records, release, weight=_WEIGHT)
        after = windows(records, stream=ACTIVE, allow=CONVERGENCE_SECONDS)[-1]
        assert_exactly_none(records, stream=ACTIVE, version="1.2-5xx", window=after.window)
        spared = assert_no_errors(records, stream=ACTIVE, window=after.window)
    numbers(
        share_of_the_broken_version=broken,
        analysis_runs=", ".join(f"{name} {phase}" for name, phase in sorted(phases.items())),
        failed_requests_afterwards=f"0 of {spared:,}",
    )


def _experiment(app: Trial) -> str:
    (experiment,) = app.kube.list(EXPERIMENT, app.namespace)[0]
    return str(experiment["status"]["phase"])
