"""An analysis before the promotion prevents it, and one after the promotion reverses it."""

from __future__ import annotations

import pytest

from e2e.bluegreen.strategy import analysis, blue_green
from e2e.bluegreen.switching import selected
from e2e.bounds import FAILURE_LIMIT
from e2e.types import Report, StartTrial
from e2e.variants import combined
from fixtures.conditions.conditions import aborted, analysis_failed, promoted
from fixtures.judge.bounds import failed, lasting, reconciled, spacing
from fixtures.judge.switches import CONVERGENCE_SECONDS, switches
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors, requests
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, RolloutRecord
from fixtures.trial.trial import ACTIVE
from loadgen.statistics import Share

# Two bad measurements fail it, from the first answers of clients; a good version has 20, a second apart.
_FAILED = failed(failure_limit=FAILURE_LIMIT) + reconciled(1)
_MEASURED = lasting("20 measurements", 20 * spacing(1)) + reconciled()


@pytest.mark.scenario("bg-5")
def test_a_version_that_fails_its_analysis_before_promotion_is_never_switched_to(
    trial: StartTrial, numbers: Report
) -> None:
    # Promotion is automatic: nothing but the analysis is in its way.
    variant = combined(analysis("prePromotionAnalysis"), blue_green(autoPromotionEnabled=True))
    with trial("bluegreen", variant=variant) as app:
        with app.traffic(100, preview_rate=50):
            app.deploy("1.2-5xx")
            app.wait(analysis_failed(), within=60)
            took = app.wait(aborted(version="1.2-5xx"), within=30)
            app.holds(aborted(version="1.2-5xx"), for_=10)
        records = app.records()

        assert selected(records) == ["1.0"], "the active Service was switched"
        none = assert_exactly_none(records, stream=ACTIVE, version="1.2-5xx")
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        analysis_Failed_to_aborted=reconciled().judged("the abort", took),
        active_from_green=none,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-5")
def test_a_version_that_fails_its_analysis_after_promotion_is_switched_back(
    trial: StartTrial, numbers: Report
) -> None:
    variant = combined(analysis("postPromotionAnalysis"), blue_green(autoPromotionEnabled=True))
    with trial("bluegreen", variant=variant) as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.2-5xx")
            app.wait(analysis_failed(), within=60)
            app.wait(aborted(version="1.2-5xx"), within=30)
            app.stays(aborted(version="1.2-5xx"), weights={"1.0": 100})
        records = app.records()

        assert "post-promotion analysis" in list(records.present(RolloutRecord))[-1].message
        assert selected(records) == ["1.0", "1.2-5xx", "1.0"]
        there, back = switches(records, stream=ACTIVE)
        assert back.converged <= CONVERGENCE_SECONDS, back
        none = assert_exactly_none(records, stream=ACTIVE, version="1.2-5xx", window=back.settled())
        assert app.stable_pods() == before, "blue's pods were not the same ones all the while"
        bad = [request for request in requests(records, ACTIVE) if request.failed]
        assert {request.version for request in bad} == {"1.2-5xx"}, "the switches themselves cost requests"
        run_failed = next(r.t for r in records.present(AnalysisRecord) if r.run_phase == "Failed")
    numbers(
        switched_to_AnalysisRun_Failed=_FAILED.judged(
            "from switch to AnalysisRun Failed", run_failed - there.t
        ),
        AnalysisRun_Failed_to_switched_back=reconciled().judged("the way back", back.t - run_failed),
        convergence_of_the_way_back=f"{back.converged:.2f} s",
        bad_responses_of_all=Share(len(bad), len(requests(records, ACTIVE))),
        active_from_green_afterwards=none,
    )


@pytest.mark.scenario("bg-5")
def test_a_good_version_passes_both(trial: StartTrial, numbers: Report) -> None:
    variant = combined(
        analysis("prePromotionAnalysis"),
        analysis("postPromotionAnalysis"),
        blue_green(autoPromotionEnabled=True),
    )
    with trial("bluegreen", variant=variant) as app:
        with app.traffic(50, preview_rate=50):
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=240)
        records = app.records()

        (switch,) = switches(records, stream=ACTIVE)
        before, after = (_succeeded_at(records, suffix) for suffix in ("pre", "post"))
        # The watches of Services and AnalysisRuns tell of the same moment apart; an analysis takes 20 s.
        assert before < switch.t + 5 < after, f"analyses ended at {before:.3f} and {after:.3f}: {switch}"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        first_analysis_Successful_to_switched=reconciled().judged("the switch", switch.t - before),
        switched_to_second_analysis_Successful=_MEASURED.judged("the second analysis", after - switch.t),
        failed_requests=f"0 of {answered:,}",
    )


def _succeeded_at(records: Recording, suffix: str) -> float:
    """When the AnalysisRun whose name ends so was Successful, in Unix seconds."""
    runs = [run for run in records.present(AnalysisRecord) if run.name.endswith(f"-{suffix}")]
    succeeded = [run.t for run in runs if run.run_phase == "Successful"]
    assert succeeded, f"no AnalysisRun -{suffix} was Successful"
    return succeeded[0]
