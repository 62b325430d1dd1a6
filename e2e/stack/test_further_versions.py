"""The main job does the same with other versions of what it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.canary.aborting import abort_of_5xx
from e2e.components import OLDER_ISTIO, OLDER_ROLLOUTS
from e2e.types import Report
from fixtures.addons import istio, rollouts
from fixtures.environment.environment import Environment
from fixtures.kube.client import pods_of
from fixtures.trial.sample import sample_trial


@pytest.mark.parametrize(
    ("further", "namespace", "version"),
    [
        (f"rollouts={OLDER_ROLLOUTS}", rollouts.NAMESPACE, OLDER_ROLLOUTS),
        (f"istio={OLDER_ISTIO}", istio.NAMESPACE, OLDER_ISTIO),
    ],
    indirect=["further"],
    ids=["rollouts", "istio"],
)
def test_a_version_that_answers_5xx_is_aborted_and_gone_with_an_older(
    further: Environment, namespace: str, version: str, numbers: Report, tmp_path: Path
) -> None:
    with sample_trial(further, "canary", tmp_path / "trial") as app:
        figures = abort_of_5xx(app)
    assert _tags(further, namespace) == {version}, "another version was judged"
    numbers(**figures)


def _tags(environment: Environment, namespace: str) -> set[str]:
    """The tags of the images that run in a namespace."""
    return {
        container["image"].rpartition(":")[2]
        for pod in pods_of(environment.kube, namespace, "")
        for container in pod["spec"]["containers"]
    }
