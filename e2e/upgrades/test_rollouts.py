"""Argo Rollouts is upgraded and rolled back, and nobody notices: no client, no pod, no release under way."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.components import OLDER_ROLLOUTS
from e2e.types import Report
from e2e.upgrades.exchange import there_and_back
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.judging import judged, unmeasured
from fixtures.addons import rollouts
from fixtures.environment.environment import Environment
from fixtures.kube.client import Kube, pods_of

_NEWER = "v1.10.2"
# Seconds for which a leader is waited for that has ended; leader-election-lease-duration in its default.
_LEASE = 15


@pytest.mark.scenario("up-1")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("further", [f"rollouts={OLDER_ROLLOUTS}"], indirect=True, ids=[pytest.HIDDEN_PARAM])
def test_twenty_rollouts_do_not_notice_another_controller(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    fleet = Fleet(further, tmp_path / "trial")
    with fleet.trial as app:
        further.load_images_of("rollouts", _NEWER)
        with fleet.traffic():
            fleet.release()
            there_and_back(fleet, "rollouts", OLDER_ROLLOUTS, _NEWER, runs=lambda: _controllers(app.kube))
            fleet.go_on()
        # The CRDs change, with which the API server ends what watches their kinds.
        numbers(**judged(fleet, despite_gaps_of=["Rollout"]))
        # docs/findings.md: the lease of the controller that ends is not released.
        silent = unmeasured(app.records())
        assert min(silent) > _LEASE - 5, (
            f"without a measurement for only {silent} s: is the lease released now?"
        )
        assert max(silent) < 4 * _LEASE, f"without a measurement for {silent} s"
    numbers(seconds_without_a_measurement=" and ".join(f"{each:.1f}" for each in silent))


def _controllers(kube: Kube) -> set[str]:
    """The versions that the controllers' logs begin with; what runs, not what the image is called."""
    pods = pods_of(kube, rollouts.NAMESPACE, "")
    logs = [kube.logs(pod["metadata"]["name"], rollouts.NAMESPACE, "argo-rollouts")[:500] for pod in pods]
    return {version for version in (OLDER_ROLLOUTS, _NEWER) for log in logs if version in log}
