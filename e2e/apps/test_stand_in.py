"""A stand-in that speaks gRPC is judged by its own analysis, which asks for the Service of the canary."""

from __future__ import annotations

from e2e.apps.answers import of_the_bad_version
from e2e.types import Report, StartAppTrial
from fixtures.conditions.conditions import promoted
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import requests
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
            app.wait_contained("1.2-5xx", within=90)
            app.stays_contained("1.2-5xx")
        records = app.records()
    sent = requests(records, ACTIVE)
    bad = of_the_bad_version(sent, "1.2-5xx", good={"1.0", "1.1"})
    assert bad, "no client had an answer of the bad version, so this proved nothing"
    assert all(each.status == 500 for each in bad)
    gone = assert_gone(records, stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
    phases = {each.run_phase for each in records.of(AnalysisRecord)}
    assert {"Successful", "Failed"} <= phases, f"the analyses ended: {phases}"
    numbers(promoted_after=f"{took:.1f} s", bad_answers=f"{len(bad):,} of {len(sent):,}", gone=gone)
