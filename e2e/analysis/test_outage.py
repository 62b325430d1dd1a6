"""Prometheus goes away in the middle of a canary, and comes back."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.moments import held_at
from e2e.analysis.variants import background, inline, per_version, step
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import at_step, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import assert_alone
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

_BAD = "1.2-5xx"
# For 1,000 requests at 100 a second after the data plane has followed.
_ENOUGH_SECONDS = CONVERGENCE_SECONDS + 11
_ENDLESS = {"name": "count", "value": "0"}


@pytest.mark.scenario("an-8")
def test_an_analysis_step_waits_for_prometheus_to_come_back(trial: StartTrial, numbers: Report) -> None:
    waiting = all_of(at_step(2), weight_is(25))
    # How long Prometheus takes to come back and to find the pods again is not what this is about.
    patient = per_version(25, inconclusive_limit=24, error_limit=15)
    variant = variants.combined(patient, inline(25, None, step("per-version"), 50, "2s"))
    with trial("canary", variant=variant) as app:
        with app.traffic(50):
            app.deploy("1.1")
            app.wait(all_of(paused_at(1), weight_is(25)), within=90)
            with app.faults.prometheus.away():
                app.promote()
                app.wait(waiting, within=60)
                app.holds(waiting, for_=14)
            took = app.wait(promoted("1.1"), within=240)
        records = app.records()
        held = held_at(records, "1.1", 25).window
        share = assert_share(records, stream=ACTIVE, version="1.1", weight=25, window=held)
        answered = assert_no_errors(records, stream=ACTIVE)
        last = records.present(AnalysisRecord)[-1]
        assert (last.run_phase, last.failed) == ("Successful", 0), last
        assert last.error > 0, "no measurement failed for lack of Prometheus, so this proved nothing"
    numbers(
        without_Prometheus=f"{last.error} errors, 0 failed; the canary stayed at 25%: {share}",
        back_to_promoted=f"{took:.1f} s",
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("an-8")
def test_a_background_analysis_lets_a_bad_version_pass_while_it_has_only_errors(
    trial: StartTrial, numbers: Report
) -> None:
    # Over long before the fifth error, which comes after 40 s.
    steps = variants.canary_steps(25, "3s", 50, "2s")
    with trial("canary", variant=variants.combined(background("success-rate", _ENDLESS), steps)) as app:
        with app.traffic(100), app.faults.prometheus.away():
            app.deploy(_BAD)
            took = app.wait(promoted(_BAD), within=120)
            app.stays_promoted(_BAD)
        records = app.records()
        share = assert_alone(records, stream=ACTIVE, version=_BAD)
        last = records.present(AnalysisRecord)[-1]
        assert last.error > 0
        assert last.count == 0, last
    numbers(
        consecutiveErrorLimit_4_by_default=f"promoted {took:.1f} s after the release, with {last.error}"
        f" errors and not one measurement ({last.run_phase})",
        clients_given_500_after_promotion=share,
    )


@pytest.mark.scenario("an-8")
def test_a_background_analysis_that_may_have_no_error_aborts_without_prometheus(
    trial: StartTrial, numbers: Report
) -> None:
    steps = variants.canary_steps(25, "30s", 50, "6s")
    variant = variants.combined(background("success-rate", _ENDLESS), _without_patience, steps)
    with trial("canary", variant=variant) as app:
        with app.traffic(100), app.faults.prometheus.away():
            app.deploy(_BAD)
            app.wait_contained(_BAD, within=90)
            contained = app.timeline.clock()
            app.stays_contained(_BAD, for_=_ENOUGH_SECONDS)
        records = app.records()
        # The first error may come before the first weight: then there is no change of weights to go by.
        settled = Window(contained + CONVERGENCE_SECONDS)
        gone = assert_exactly_none(records, stream=ACTIVE, version=_BAD, window=settled)
        last = records.present(AnalysisRecord)[-1]
        assert (last.run_phase, last.error) == ("Error", 1), last
    numbers(consecutiveErrorLimit_0=f"{last.run_phase} at the first error, aborted; after that {gone}")


def _without_patience(objects: list[Object]) -> None:
    """One error is enough."""
    (metric,) = variants.manifest_of(objects, "AnalysisTemplate", "success-rate")["spec"]["metrics"]
    metric["consecutiveErrorLimit"] = 0
