"""Broken versions are aborted before many clients get an error."""

from __future__ import annotations

import pytest

from e2e.canary.aborting import release_and_abort, selector_switches, share_since_its_first_response
from e2e.types import EnterClaim, Report, StartTrial
from fixtures.conditions.conditions import aborted
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import ENOUGH, requests
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.records import PodRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS
from loadgen.statistics import exactly_zero


@pytest.mark.every_provider
@pytest.mark.scenario("can-1")
def test_a_version_that_crashes_at_boot_never_reaches_a_client(
    trial: StartTrial, numbers: Report, claim: EnterClaim
) -> None:
    with trial("canary") as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.2-crash")
            took = app.wait(aborted(version="1.2-crash"), within=90)
        records = app.records()

        sent = requests(records, ACTIVE)
        assert len(sent) >= ENOUGH, f"only {len(sent):,} requests"
        reached = exactly_zero(sum(request.version == "1.2-crash" for request in sent), len(sent))
        failed = exactly_zero(sum(request.failed for request in sent), len(sent))
        assert app.stable_pods() == before, "the stable pods were touched"
        restarts = max(pod.restarts for pod in records.of(PodRecord) if tag_of(pod.image) == "1.2-crash")
        assert restarts > 0, "the version did not crash, so this proved nothing"
        claim(
            "A canary contains a version that crashes at boot before a client meets it",
            expected=HOLDS,
            found=HOLDS if reached and failed else DOES_NOT_HOLD,
            evidence={
                "answers of that version": reached,
                "failed requests": failed,
                "Degraded": f"{took:.1f} s",
            },
        )
    numbers(
        deploy_to_Degraded=f"{took:.1f} s (progressDeadlineSeconds 30)",
        restarts_of_the_canary=restarts,
    )


@pytest.mark.smoke("native", "kind")
@pytest.mark.every_provider
@pytest.mark.scenario("can-2")
def test_a_version_that_answers_5xx_is_aborted_and_gone(trial: StartTrial, numbers: Report) -> None:
    with trial("canary") as app:
        release = release_and_abort(app, "1.2-5xx")
        seen = release.milestones
        records = app.records()

        assert seen.first_bad is not None, "no client had a bad answer, so this proved nothing"
        assert seen.analysis_failed is not None, "it was aborted, but not by its analysis"
        life = share_since_its_first_response(records, release, weight=5)
        gone = assert_gone(records, stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
        strays = [each for each in requests(records, ACTIVE) if each.failed and each.version != "1.2-5xx"]
        assert not strays, f"{len(strays)} requests failed without it, first with {strays[0].status}"
    assert seen.withdrawn is not None
    assert seen.last_response is not None
    numbers(
        deploy_to_first_response=f"{release.excerpt.at(seen.first_bad):.2f} s",
        first_bad_to_AnalysisRun_Failed=f"{seen.analysis_failed - seen.first_bad:.2f} s",
        first_bad_to_VirtualService_0=f"{seen.withdrawn - seen.first_bad:.2f} s",
        VirtualService_0_to_last_response=f"{seen.last_response - seen.withdrawn:.2f} s",
        responses_after_VirtualService_0=release.after_withdrawal,
        bad_responses_of_all=release.bad,
        share_since_its_first_response=life,
        after_convergence=gone,
        canary_Service_switches_after_abort=selector_switches(records, "payments-canary", seen.aborted),
    )
