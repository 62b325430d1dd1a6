"""Argo CD deploys what the config repository says."""

from __future__ import annotations

import pytest

from e2e.gitops.outages import polling
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.expectation import all_of
from fixtures.environment.environment import Environment
from fixtures.judge.release.release import release_of
from fixtures.judge.verdicts import ALWAYS, assert_no_errors, assert_share
from fixtures.kube.kinds import ROLLOUT
from fixtures.report.numbers import delivery_numbers
from fixtures.trial.trial import ACTIVE

_POLLING_SECONDS = 5
_MANAGED = {
    "AnalysisTemplate/latency-p99", "AnalysisTemplate/success-rate", "AnalysisTemplate/success-rate-istio",
    "Gateway/payments", "Rollout/payments", "Service/payments-canary", "Service/payments-stable",
    "VirtualService/payments",
}  # fmt: skip


@pytest.mark.scenario("git-1")
def test_the_first_sync_creates_the_rollout(gitops_trial: StartGitOpsTrial, numbers: Report) -> None:
    with gitops_trial("canary") as app:
        healthy = app.application.health_is("Healthy")
        app.wait(healthy, within=60)
        rollout = app.kube.get(ROLLOUT, "payments", app.namespace)
        assert rollout is not None
        tracking = rollout["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
        assert tracking == f"{app.namespace}:argoproj.io/Rollout:{app.namespace}/payments"
        managed = app.application.api.managed(app.namespace)
        assert {f"{item['kind']}/{item['name']}" for item in managed} == _MANAGED
        with app.traffic():
            app.holds(all_of(app.application.synced(app.first), healthy), for_=8)
        records = app.records()

        share = assert_share(records, stream=ACTIVE, version="1.0", weight=100, window=ALWAYS)
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(**delivery_numbers(release_of(records, version="1.0", stream=ACTIVE)))
    numbers(share_of_the_first_version=share, failed_requests=f"0 of {answered:,}")


def test_without_a_webhook_the_repository_is_polled(
    environment: Environment, gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    kube = environment.kube
    # Push events are sent to argocd-server, so while it is away nobody is told.
    with (
        polling(kube, _POLLING_SECONDS),
        gitops_trial("canary") as app,
        app.faults.away("argocd-server"),
    ):
        commit = app.commit(files={"notes": "nobody is told"})
        # Long before Argo CD would look by itself, which is in two to three minutes.
        took = app.wait(app.application.synced(commit, patient=True), within=60)
    numbers(push_to_Synced_by_polling=f"{took:.1f} s (timeout.reconciliation {_POLLING_SECONDS} s)")
