"""A stand-in that speaks gRPC is judged by its own analysis, which asks for the Service of the canary."""

from __future__ import annotations

from e2e.types import Report
from fixtures.conditions.conditions import aborted, promoted
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import ENOUGH, requests
from fixtures.plugin.factories import StartAppTrial
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS


def test_an_apps_own_analysis_promotes_a_good_version_and_aborts_a_bad_one(
    app_under_test: StartAppTrial, numbers: Report
) -> None:
    with app_under_test("e2e/apps/catalog") as app:
        with app.traffic(60):
            app.deploy("1.1")
            took = app.wait(promoted("1.1"), within=120)
            app.deploy("1.2-5xx")
            app.wait(aborted(version="1.2-5xx"), within=90)
            app.wait_contained("1.2-5xx", within=45)
            app.stays_contained("1.2-5xx")
        records = app.records()
    sent = requests(records, ACTIVE)
    good = [each for each in sent if each.version in {"1.0", "1.1"}]
    assert len(good) >= ENOUGH
    failed = [each for each in good if each.failed]
    assert not failed, f"{len(failed)} requests to good versions failed, first with {failed[0].status}"
    bad = [each for each in sent if each.version == "1.2-5xx"]
    assert bad, "no client had an answer of the bad version, so this proved nothing"
    assert all(each.status == 500 for each in bad)
    gone = assert_gone(records, stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
    phases = {each.run_phase for each in records.of(AnalysisRecord)}
    assert {"Successful", "Failed"} <= phases, f"the analyses ended: {phases}"
    numbers(promoted_after=f"{took:.1f} s", bad_answers=f"{len(bad):,} of {len(sent):,}", gone=gone)
