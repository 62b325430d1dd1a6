"""Bugs of blue-green that were reported upstream, and what becomes of them here.

The id of each scenario is the issue's number: https://github.com/argoproj/argo-rollouts/issues.
813 (scaleDownDelayRevisionLimit) and 1992 (scaleDownDelaySeconds: 0) are rows of bg-8.
"""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.bluegreen.strategy import analysis, blue_green, progress_deadline
from e2e.bluegreen.switching import selected
from e2e.types import Report, StartTrial
from fixtures.cluster.kube import Object
from fixtures.rollout.conditions import aborted, behind, paused_at, preview_ready
from fixtures.rollout.convergence import versions_by_hash
from fixtures.rollout.expectation import Condition, Verdict, all_of, met, pending
from fixtures.rollout.records import tag_of
from fixtures.rollout.state import State
from fixtures.rollout.timeline import Record, of_kind, present
from fixtures.rollout.verdicts import assert_exactly_none, assert_no_errors, requests
from fixtures.trial import ACTIVE, PREVIEW


@pytest.mark.scenario("4750")
def test_a_second_bad_revision_leaves_the_active_service_alone(trial: StartTrial, numbers: Report) -> None:
    variant = variants.all_of(progress_deadline(20), analysis("prePromotionAnalysis"))
    with trial("bluegreen", variant=variant) as app:
        before = app.stable_pods()
        with app.traffic(100):
            for version in ("1.2-crash", "1.2-neverready"):
                app.deploy(version)
                app.wait(aborted(version=version), within=60)
        records = app.records()

        hashes = {r["hash"] for r in of_kind(records, "service") if r["name"] == "payments-active"}
        assert len(hashes - {None}) == 1, "the active Service was switched"
        answered = assert_no_errors(records, lane=ACTIVE)
        assert app.stable_pods() == before, "blue's pods were touched"
    numbers(failed_requests=f"0 of {answered:,}")


@pytest.mark.scenario("4728")
def test_a_revision_soon_after_a_promotion_is_never_analysed_and_gets_stuck(
    trial: StartTrial, numbers: Report
) -> None:
    """Still so: no analysis, so no promotion either, until the progress deadline."""
    variant = variants.all_of(
        blue_green(previewReplicaCount=1), analysis("prePromotionAnalysis"), progress_deadline(20)
    )
    with trial("bluegreen", replicas=3, variant=variant) as app:
        with app.traffic(100, preview_rate=50):
            app.deploy("1.1")
            app.wait(paused_at(), within=80)
            app.promote()
            app.wait(_wants(3, "1.1"), within=20)
            app.deploy("1.2-5xx")
            app.wait(aborted(version="1.2-5xx"), within=60)
        records = app.records()

        runs = {run["name"] for run in present(records, "analysis") if _version_of(records, run) == "1.2-5xx"}
        assert not runs, "fixed: there is an AnalysisRun of the second revision"
        assert "has timed out progressing" in of_kind(records, "rollout")[-1]["message"]
        assert selected(records) == ["1.0"], "the active Service was switched"
        none = assert_exactly_none(records, lane=ACTIVE, version="1.2-5xx")
        answered = assert_no_errors(records, lane=ACTIVE)
    numbers(
        AnalysisRuns_of_the_second_revision=0,
        active_from_the_second_revision=none,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("2641")
def test_the_preview_fails_until_the_pods_behind_it_are_ready(trial: StartTrial, numbers: Report) -> None:
    """Still so: the preview Service is switched before there is any pod."""
    with trial("bluegreen") as app:
        with app.traffic(100, preview_rate=100):
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=60)
            app.holds(behind("1.1", "payments-preview"), for_=11)
        records = app.records()

        failed = [request for request in requests(records, PREVIEW) if request.failed]
        assert failed, "fixed: no request to the preview failed"
        assert {request.status for request in failed} == {503}, "the new pods themselves answered errors"
        answered = assert_no_errors(records, lane=ACTIVE)
    numbers(
        preview_failed_for=f"{failed[-1].received - failed[0].t:.2f} s",
        preview_requests_failed=f"{len(failed):,}, all HTTP 503",
        active_requests_failed=f"0 of {answered:,}",
    )


@pytest.mark.scenario("4503")
def test_a_rollout_that_refers_to_a_deployment_waits_for_its_promotion(
    trial: StartTrial, numbers: Report
) -> None:
    variant = variants.all_of(
        blue_green(previewReplicaCount=1), analysis("prePromotionAnalysis"), _refer_to_a_deployment
    )
    with trial("bluegreen", replicas=1, variant=variant) as app:
        with app.traffic(100, preview_rate=50):
            app.deploy("1.1")
            app.wait(all_of(preview_ready("1.1"), paused_at()), within=90)
            app.holds(all_of(paused_at(), behind("1.0", "payments-active")), for_=11)
        records = app.records()

        runs = {run["run_phase"] for run in present(records, "analysis")}
        assert "Successful" in runs, f"its analysis was {runs or 'skipped'}"
        none = assert_exactly_none(records, lane=ACTIVE, version="1.1")
        answered = assert_no_errors(records, lane=ACTIVE)
    numbers(active_from_green=none, failed_requests=f"0 of {answered:,}")


def _wants(pods: int, tag: str) -> Condition:
    """The ReplicaSet of a version is to have so many pods, whether they are there or not."""

    def check(state: State) -> Verdict:
        sets = [found for found in state.all("replicaset") if tag_of(found["image"]) == tag]
        desired = sum(found["desired"] for found in sets)
        return (met if desired == pods else pending)(f"{desired} wanted")

    return Condition(f"{pods} pods of {tag} wanted", check)


def _refer_to_a_deployment(objects: list[Object]) -> None:
    """The pod template stands in a Deployment without pods of its own."""
    rollout = variants.found(objects, "Rollout")
    spec = rollout["spec"]
    metadata = {name: rollout["metadata"][name] for name in ("name", "namespace", "labels")}
    deployment = {"replicas": 0, "selector": spec["selector"], "template": spec.pop("template")}
    spec["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]}
    objects.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment})


def _version_of(records: list[Record], run: Record) -> str | None:
    return versions_by_hash(records).get(run["hash"])
