"""Faults that no canary notices: those that appear after it, and those that stay after its abort."""

from __future__ import annotations

import pytest

from e2e.operations.shared_ledger import break_ledger, wait_for_ledger, with_shared_ledger
from e2e.types import EnterClaim, StartTrial
from e2e.variants import canary_steps, combined
from fixtures.conditions.conditions import aborted, paused_at, promoted, weight_is
from fixtures.judge.verdicts import ENOUGH, Window, assert_no_errors, requests
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS
from loadgen.requests import Requests
from loadgen.statistics import Share

_RATE = 100
# For 1,000 requests, with some to spare.
_WINDOW_SECONDS = ENOUGH / _RATE + 2
_LEDGER = "1.3-ledger"
_MIGRATES = "1.3-ledger-2"


@pytest.mark.scenario("op-4")
def test_a_dependency_that_fails_after_promotion_is_nobodys_analysis(
    trial: StartTrial, claim: EnterClaim
) -> None:
    quick = canary_steps(5, "8s", 50, "4s")
    with trial("canary", variant=combined(with_shared_ledger, quick)) as app:
        wait_for_ledger(app)
        with app.traffic(_RATE):
            app.deploy(_LEDGER)
            app.wait(promoted(_LEDGER), within=90)
            stopped = app.timeline.clock()
            break_ledger(app)
            broken = app.timeline.clock()
            app.holds(promoted(_LEDGER), for_=_WINDOW_SECONDS)
        records = app.records()

        released = assert_no_errors(records, stream=ACTIVE, window=Window(end=stopped))
        after = requests(records, ACTIVE, Window(broken))
        assert len(after) >= ENOUGH, f"only {len(after)} requests"
        # That of the release may be told late to have ended.
        runs = [run for run in records.present(AnalysisRecord) if run.t > broken]
        measured = {run.name for run in runs if run.run_phase == "Running"}
        assert not measured, f"an analysis went on after the promotion: {measured}"
        bad = _bad(after)
        claim(
            "what a canary has let pass is safe for clients from then on",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if bad.k else HOLDS,
            evidence={
                "failed_requests_until_promoted": f"0 of {released:,}",
                "failed_requests_once_the_dependency_fails": bad,
                "the_Rollout_meanwhile": f"Healthy for all {_WINDOW_SECONDS:.0f} s, without an analysis",
            },
        )


@pytest.mark.scenario("op-4")
def test_a_data_migration_half_done_breaks_the_stable_version_and_outlives_the_abort(
    trial: StartTrial, claim: EnterClaim
) -> None:
    variant = combined(with_shared_ledger, canary_steps(5, None))
    with trial("canary", version=_LEDGER, variant=variant) as app:
        wait_for_ledger(app)
        with app.traffic(_RATE):
            app.deploy(_MIGRATES)
            app.wait(paused_at(1), within=60)
            settled = app.timeline.clock() + CONVERGENCE_SECONDS / 2
            app.holds(paused_at(1), for_=CONVERGENCE_SECONDS / 2 + _WINDOW_SECONDS)
            aborted_at = app.timeline.clock()
            app.abort()
            app.wait(aborted(version=_MIGRATES), within=30)
            app.wait(weight_is(0), within=30)
            app.holds(aborted(version=_MIGRATES), for_=CONVERGENCE_SECONDS + _WINDOW_SECONDS)
            converged = app.timeline.clock() - _WINDOW_SECONDS
        records = app.records()

        during, after = (
            requests(records, ACTIVE, Window(settled, aborted_at)),
            requests(records, ACTIVE, Window(converged)),
        )
        assert min(len(during), len(after)) >= ENOUGH, f"only {len(during)} and {len(after)} requests"
        assert {request.version for request in after if request.version} == {_LEDGER}
        values = _success_rates(records, settled, aborted_at)
        assert values, "the analysis measured nothing"
        stable, canary = (_bad(during.of_version(tag)) for tag in (_LEDGER, _MIGRATES))
        left = _bad(after)
        claim(
            "an analysis of the canary shows what the canary does to clients",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if values == {"[1]"} and stable.k and not canary.k else HOLDS,
            evidence={
                "success_rate_of_the_canary_by_its_analysis": ", ".join(sorted(values)),
                "failed_requests_of_the_canary": canary,
                "failed_requests_of_the_stable_version_meanwhile": stable,
            },
        )
        claim(
            "an abort brings back what clients had before",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if left.k else HOLDS,
            evidence={
                "failed_requests_after_the_abort": left,
                "answered_by": f"{_LEDGER} alone, the stable version",
            },
        )


def _bad(sent: Requests) -> Share:
    return Share(len(sent.where(sent.failed)), len(sent))


def _success_rates(records: Recording, start: float, end: float) -> set[str]:
    """What the analysis measured of the canary, once Prometheus had scraped it often enough to say."""
    runs = [run for run in records.present(AnalysisRecord) if start < run.t <= end]
    values = {str(run.value) for run in runs if run.metric == "success-rate" and run.value}
    return values - {"[]", "[NaN]"}
