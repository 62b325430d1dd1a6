"""An add-on is upgraded under load: clients notice nothing, and what it controls does not change."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e import variants
from e2e.components import OLDER_ROLLOUTS
from e2e.types import Report, StartGitOpsTrial
from fixtures.addons import argocd, rollouts
from fixtures.conditions.conditions import healthy, promoted
from fixtures.conditions.expectation import Condition, all_of
from fixtures.core.objects import Object
from fixtures.environment.environment import Environment
from fixtures.gitops.repository import Commit
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.kube.client import pods_of
from fixtures.timeline.extraction import HASH_LABEL
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE, Trial

_OLD, _NEW = OLDER_ROLLOUTS, "v1.10.2"
_RATE = 100.0
# Enough for 1,000 requests after the data plane has followed.
_PAUSE = "20s"
_MEMORY = "72Mi"


@pytest.mark.parametrize("further", [f"rollouts={_OLD}"], indirect=True, ids=[pytest.HIDDEN_PARAM])
def test_argo_rollouts_is_upgraded_under_traffic(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    # Not by latency, which on a busy machine is not a verdict on the version.
    variant = variants.combined(
        variants.judged_by("success-rate"), variants.canary_steps(20, _PAUSE, 60, _PAUSE)
    )
    with sample_trial(further, "canary", tmp_path / "trial", variant=variant) as app:
        pods, controllers = _pods(app), _controllers(app)
        assert {image for image, _ in controllers.values()} == {_OLD}
        with app.traffic(_RATE):
            app.holds(healthy(), for_=2)
            began = app.timeline.clock()
            further.upgrade("rollouts", _NEW)
            took = app.timeline.clock() - began
            upgraded = _controllers(app)
            app.holds(healthy(), for_=5)
            still = _pods(app)
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=120)
            app.holds(promoted("1.1"), for_=5)
        records = app.records()

        ((image, said),) = upgraded.values()
        assert image == _NEW
        assert _NEW in said, f"the controller calls itself {said}"
        assert not controllers.keys() & upgraded.keys()
        assert still == pods, "the upgrade replaced the pods of an app, or changed their hash"
        shares = {
            weight: assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window)
            for settled in windows(records, stream=ACTIVE)
            if (weight := settled.weights.get("1.1")) in {20, 60}
        }
        assert shares.keys() == {20, 60}
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(**{f"{_OLD} to {_NEW}": f"{took:.1f} s, {len(pods)} pods of the app as they were"})
    numbers(**{f"share at {weight}% afterwards": share for weight, share in shares.items()})
    numbers(failed_requests=f"0 of {answered:,}")


def test_argo_cd_gets_other_settings_while_applications_stay(
    environment: Environment, gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary") as app:
        app.wait(_settled(app, app.first), within=60)
        pods, before = _pods(app), _argo_cds(app)
        with app.traffic(_RATE):
            began = app.timeline.clock()
            try:
                environment.upgrade("argocd", change=_more_memory)
                took = app.timeline.clock() - began
                after = _argo_cds(app)
                commit = app.commit(files={"notes": "Argo CD has other settings"})
                # Its parts start in any order, and what one of them cannot do yet it does not try again.
                app.wait_looking(_settled(app, commit), within=120)
                app.holds(_settled(app, commit), for_=5)
            finally:
                environment.upgrade("argocd")
        answered = assert_no_errors(app.records(), stream=ACTIVE)
        assert {*before.values()} == {*_argo_cds(app).values()} == {"64Mi"}
        assert {*after.values()} == {_MEMORY}
        assert not before.keys() & after.keys()
        assert _pods(app) == pods
    numbers(Argo_CD_with_other_settings=f"{took:.1f} s, all {len(after)} pods replaced")
    numbers(failed_requests=f"0 of {answered:,}")


def _settled(app: GitOpsTrial, commit: Commit) -> Condition:
    return all_of(app.application.synced(commit, patient=True), app.application.health_is("Healthy"))


def _more_memory(objects: list[Object]) -> None:
    for manifest in objects:
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            for container in manifest["spec"]["template"]["spec"]["containers"]:
                container["resources"]["requests"]["memory"] = _MEMORY


def _pods(app: Trial) -> dict[str, str]:
    """The app's pods: hash of the template by uid."""
    pods = pods_of(app.kube, app.namespace, "app=payments")
    return {pod["metadata"]["uid"]: pod["metadata"]["labels"][HASH_LABEL] for pod in pods}


def _controllers(app: Trial) -> dict[str, tuple[str, str]]:
    """The pods of Argo Rollouts, ending ones too: the image's tag, and what its log says first, by uid."""
    pods = pods_of(app.kube, rollouts.NAMESPACE, "")
    return {
        pod["metadata"]["uid"]: (
            pod["spec"]["containers"][0]["image"].rpartition(":")[2],
            app.kube.logs(pod["metadata"]["name"], rollouts.NAMESPACE, "argo-rollouts")[:500],
        )
        for pod in pods
    }


def _argo_cds(app: GitOpsTrial) -> dict[str, str]:
    """The pods of Argo CD, ending ones too: the memory that they ask for, by uid."""
    pods = pods_of(app.kube, argocd.NAMESPACE, "")
    return {
        pod["metadata"]["uid"]: pod["spec"]["containers"][0]["resources"]["requests"]["memory"]
        for pod in pods
    }
