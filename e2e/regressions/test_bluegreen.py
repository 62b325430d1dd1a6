"""Bugs of blue-green releases that were reported upstream, and whether they happen here.

The id of each scenario is the issue's number: https://github.com/argoproj/argo-rollouts/issues.
813 (scaleDownDelayRevisionLimit) and 1992 (scaleDownDelaySeconds: 0) are rows of bg-8.
"""

from __future__ import annotations

from collections import Counter

import pytest

from e2e.bluegreen.strategy import analysis
from e2e.deadline import give_up_after
from e2e.types import Report, StartTrial
from e2e.variants import ready_after
from fixtures.conditions.conditions import aborted, behind, preview_ready
from fixtures.judge.verdicts import assert_no_errors, requests
from fixtures.timeline.records import ServiceRecord
from fixtures.trial.trial import ACTIVE, PREVIEW


@pytest.mark.scenario("4750")
def test_a_second_bad_revision_leaves_the_active_service_alone(trial: StartTrial, numbers: Report) -> None:
    with trial("bluegreen", variant=analysis("prePromotionAnalysis")) as app:
        give_up_after(app, 15)
        before = app.stable_pods()
        with app.traffic(50):
            for version in ("1.2-crash", "1.2-neverready"):
                app.deploy(version)
                app.wait(aborted(version=version), within=120)
        records = app.records()

        hashes = {r.hash for r in records.of(ServiceRecord) if r.name == "payments-active"}
        assert len(hashes - {None}) == 1, "the active Service was switched"
        answered = assert_no_errors(records, stream=ACTIVE)
        assert app.stable_pods() == before, "blue's pods were touched"
    numbers(failed_requests=f"0 of {answered:,}")


@pytest.mark.smoke
@pytest.mark.scenario("2641")
def test_the_preview_fails_until_the_pods_behind_it_are_ready(trial: StartTrial, numbers: Report) -> None:
    """Still so: the preview Service is switched before there is any pod."""
    # A gateway that is busy learns of the switch a second late, which would hide a gap that is as short.
    with trial("bluegreen", variant=ready_after(4)) as app:
        with app.traffic(100, preview_rate=100):
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=60)
            app.holds(behind("1.1", "payments-preview"), for_=11)
        records = app.records()

        failed = [request for request in requests(records, PREVIEW) if request.failed]
        assert failed, "fixed: no request to the preview failed"
        assert not any(request.version for request in failed), "the new pods themselves answered errors"
        statuses = Counter(request.status for request in failed)
        assert statuses[503], f"not for want of pods: {statuses}"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        preview_failed_for=f"{failed[-1].received - failed[0].t:.2f} s",
        preview_requests_failed=f"{len(failed):,}, of which {statuses[503]:,} HTTP 503",
        active_requests_failed=f"0 of {answered:,}",
    )
