"""Faults of the harness between a commit and the cluster, and in upgrades."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from e2e.mutations.fault import Fault
from fixtures.addons import gitops
from fixtures.environment.environment import Environment
from fixtures.gitops.application import Application, SyncPolicy
from fixtures.kube.client import Object
from fixtures.kube.kinds import POD

_RELEASE = "e2e/gitops/test_release.py::test_a_tag_that_ci_pushes_walks_through_its_steps"


def _tell_nobody(patch: pytest.MonkeyPatch) -> None:
    settings = gitops._server  # noqa: SLF001 - what is planted here must not be an option of the product

    def elsewhere(*arguments: Any) -> dict[str, str]:  # noqa: ANN401
        return {**settings(*arguments), "webhook-url": "https://127.0.0.1/nobody"}

    patch.setattr(gitops, "_server", elsewhere)


def _sync_by_hand(patch: pytest.MonkeyPatch) -> None:
    described = Application.manifest

    def by_hand(self: Application) -> Object:
        manifest = described(self)
        del manifest["spec"]["syncPolicy"]["automated"]
        return manifest

    patch.setattr(Application, "manifest", by_hand)


def _fight_over_weights(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("fixtures.trial.gitops.SyncPolicy", partial(SyncPolicy, ignore_weights=False))


def _restart_apps(patch: pytest.MonkeyPatch) -> None:
    upgrade = Environment.upgrade

    def upgrade_and_restart(self: Environment, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        upgrade(self, *arguments, **options)
        pods, _ = self.kube.list(POD)
        for pod in pods:
            if pod["metadata"]["namespace"].startswith("canary-"):
                self.kube.delete(POD, pod["metadata"]["name"], pod["metadata"]["namespace"])

    patch.setattr(Environment, "upgrade", upgrade_and_restart)


IN_GITOPS = (
    Fault(
        "nothing-is-synced-by-itself",
        "the Application waits for somebody to sync it",
        ("e2e/gitops/test_sync.py::test_the_first_sync_creates_the_rollout",),
        harness=_sync_by_hand,
    ),
    Fault("pushes-are-not-told", "the Git server tells nobody of a push", (_RELEASE,), harness=_tell_nobody),
    Fault(
        "weights-are-not-ignored",
        "Argo CD takes the controller's weights for drift",
        ("e2e/gitops/test_weights.py::test_weights_are_left_alone_where_their_differences_are_ignored",),
        harness=_fight_over_weights,
    ),
    Fault(
        "upgrade-restarts-apps",
        "an upgrade of Argo Rollouts replaces the pods of the app",
        ("e2e/stack/test_upgrade.py::test_argo_rollouts_is_upgraded_under_traffic",),
        harness=_restart_apps,
    ),
)
