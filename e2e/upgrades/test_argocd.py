"""Argo CD is upgraded and rolled back in the middle of releases by commits, and these go on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from e2e.components import OLDER_ARGOCD
from e2e.gitops.variants import canary_steps, judged_by
from e2e.types import Report
from fixtures.addons import argocd
from fixtures.conditions.conditions import paused_at, promoted
from fixtures.conditions.expectation import all_of
from fixtures.core.errors import ConditionNotMetError
from fixtures.environment.environment import Environment
from fixtures.judge.upgrades import assert_undisturbed, upgrades
from fixtures.judge.verdicts import Window, assert_no_errors
from fixtures.kube.client import Kube, pods_of
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ApplicationRecord, CommitRecord
from fixtures.trial.gitops import GitOpsTrial, sample_gitops_trial
from fixtures.trial.trial import ACTIVE

_NEWER = "v3.6.1"
_RATE = 50.0
_QUIET = 5
# A pause without an end, so that the release is where it is for as long as the upgrade takes.
_STEPS = (canary_steps(30, None, 60, "5s"), judged_by("success-rate"))


@pytest.mark.scenario("up-5")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("further", [f"argocd={OLDER_ARGOCD}"], indirect=True, ids=[pytest.HIDDEN_PARAM])
def test_a_release_by_commit_goes_on_with_another_argo_cd(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    with sample_gitops_trial(further, "canary", tmp_path / "trial", patches=_STEPS) as app:
        further.load_images_of("argocd", _NEWER)
        app.wait(all_of(app.application.synced(app.first), app.application.health_is("Healthy")), within=60)
        assert _versions(app.kube) == {OLDER_ARGOCD}
        with app.traffic(_RATE):
            for release, version in (("1.1", _NEWER), ("1.0", OLDER_ARGOCD)):
                _released_across(app, release, version)
        records = app.records()
        undisturbed = [assert_undisturbed(records, window=each.during) for each in upgrades(records)]
        told = [_stayed_synced(records, each.during) for each in upgrades(records)]
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(took=" and ".join(f"{_seconds(each.during):.1f} s" for each in upgrades(records)))
    numbers(meanwhile=undisturbed[-1], Application=" | ".join(told))
    numbers(failed_requests=f"0 of {answered:,}")


def _released_across(app: GitOpsTrial, release: str, version: str) -> None:
    """Begin a release by a commit, exchange Argo CD in its pause, and take the release to its end."""
    commit = app.commit(image=release)
    waits = all_of(app.application.synced(commit), app.application.health_is("Suspended"), paused_at(1))
    app.wait(waits, within=90)
    app.holds(waits, for_=_QUIET)
    app.upgrade("argocd", version)
    assert _versions(app.kube) == {version}
    app.wait_looking(waits, within=120)
    app.holds(waits, for_=_QUIET)
    app.promote()
    app.wait(promoted(release), within=120)
    # Asked for, because it may look at the Rollout only a moment before.
    app.wait_looking(all_of(app.application.synced(commit), app.application.health_is("Healthy")), within=60)


def _stayed_synced(records: Recording, upgraded: Window) -> str:
    """Assert that the Application stayed Synced from an upgrade to the next commit; return its states."""
    commits = (each.t for each in records.of(CommitRecord) if each.t > upgraded.end)
    window = Window(upgraded.start, next(commits, math.inf))
    seen = [each for each in records.present(ApplicationRecord) if each.t in window]
    wrong = [f"{each.sync} {each.conditions}" for each in seen if each.sync != "Synced" or each.conditions]
    if wrong or not seen:
        raise ConditionNotMetError(f"{window}: the Application was {', '.join(wrong) or 'not seen'}")
    return " > ".join(dict.fromkeys(f"{each.sync} {each.health}" for each in seen))


def _seconds(window: Window) -> float:
    return window.end - window.start


def _versions(kube: Kube) -> set[str]:
    """The versions of Argo CD's images that pods run, without that of Redis."""
    images = [
        container["image"]
        for pod in pods_of(kube, argocd.NAMESPACE, "")
        for container in pod["spec"]["containers"]
    ]
    return {image.rpartition(":")[2] for image in images if "/argocd:" in image}
