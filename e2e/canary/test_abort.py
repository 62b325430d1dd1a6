"""Broken versions are aborted before many clients get an error."""

from __future__ import annotations

import pytest

from e2e.bounds import PODS
from e2e.canary.aborting import abort_of_5xx
from e2e.types import EnterClaim, Report, StartTrial
from fixtures.conditions.conditions import aborted
from fixtures.judge.verdicts import ENOUGH, requests
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.records import PodRecord
from fixtures.trial.trial import ACTIVE
from loadgen.statistics import exactly_zero


@pytest.mark.every_provider
@pytest.mark.every_router
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
        deploy_to_Degraded=PODS.judged("from deploy to Degraded", took),
        restarts_of_the_canary=restarts,
    )


@pytest.mark.smoke("native", "kind")
@pytest.mark.every_provider
@pytest.mark.every_router
@pytest.mark.scenario("can-2")
def test_a_version_that_answers_5xx_is_aborted_and_gone(trial: StartTrial, numbers: Report) -> None:
    with trial("canary") as app:
        figures = abort_of_5xx(app)
    numbers(**figures)
