"""Argo CD and the harness say what is wrong with a commit or a repository, and the running version stays."""

from __future__ import annotations

import pytest

from e2e.gitops.outages import unreachable, wrong_credentials
from e2e.gitops.variants import progress_deadline, replicas, with_patch
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import aborted, healthy, promoted
from fixtures.conditions.expectation import all_of
from fixtures.core.errors import ConditionNotMetError
from fixtures.gitops.config import KUSTOMIZATION
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import ACTIVE

_LOOK_SECONDS = 5.0


def test_an_invalid_commit_is_refused_with_its_reason(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary") as app:
        before = app.stable_pods()
        with app.traffic():
            for what, files, reason in (
                ("no YAML", {KUSTOMIZATION: "resources: [\n"}, "kustomize build"),
                ("a wrong type", with_patch(app, replicas("two")), "replicas"),
            ):
                commit = app.commit(files=files, message=what)
                app.wait(app.application.refused(commit, reason), within=60)
                with pytest.raises(ConditionNotMetError, match=reason) as refusal:
                    app.wait(app.application.synced(commit), within=1)
                numbers(**{what: str(refusal.value).splitlines()[0]})
                app.holds(healthy(), for_=_LOOK_SECONDS)
                reverted = app.revert()
                app.wait(app.application.synced(reverted), within=60)
        assert app.stable_pods() == before, "the running version was touched"
        answered = assert_no_errors(app.records(), stream=ACTIVE)
    numbers(failed_requests=f"0 of {answered:,}")


def test_a_tag_without_an_image_is_never_served(gitops_trial: StartGitOpsTrial, numbers: Report) -> None:
    with gitops_trial("canary") as app:
        before = app.stable_pods()
        with app.traffic():
            # With it, and not from the beginning: the good version may need its time, too.
            app.commit(image="9.9", files=with_patch(app, progress_deadline(15)))
            with pytest.raises(
                ConditionNotMetError, match=r"(.|\n)*payments-.*\(9\.9\).*(ErrImagePull|ImagePullBackOff)"
            ) as refusal:
                app.wait(promoted("9.9"), within=90)
            app.wait(all_of(aborted(version="9.9"), app.application.health_is("Degraded")), within=30)
        records = app.records()
        assert app.stable_pods() == before, "the running version was touched"
        none = assert_exactly_none(records, stream=ACTIVE, version="9.9")
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(a_tag_without_an_image=str(refusal.value), responses=none, failed_requests=f"0 of {answered:,}")


def test_a_repository_that_cannot_be_read_is_named(gitops_trial: StartGitOpsTrial, numbers: Report) -> None:
    with gitops_trial("canary") as app:
        before = app.stable_pods()
        with app.traffic():
            with wrong_credentials(app.kube, app.application.url):
                numbers(wrong_credentials=_complaint(app, "authentication required"))
            app.wait_looking(app.application.synced(app.first, patient=True), within=60)
            with unreachable(app.kube, app.gitops.git):
                numbers(unreachable_repository=_complaint(app, "connection refused"))
            app.wait_looking(app.application.synced(app.first, patient=True), within=60)
        assert app.stable_pods() == before, "the running version was touched"
        answered = assert_no_errors(app.records(), stream=ACTIVE)
    numbers(failed_requests=f"0 of {answered:,}")


def _complaint(app: GitOpsTrial, because: str) -> str:
    """What Argo CD says is wrong with the repository, and the harness with it."""
    took = app.wait_looking(app.application.complains(because), within=60)
    with pytest.raises(ConditionNotMetError, match=because) as refusal:
        app.wait(app.application.synced(app.first), within=1)
    app.holds(healthy(), for_=_LOOK_SECONDS)
    return f"after {took:.1f} s: {str(refusal.value).splitlines()[0]}"
