"""Istio, Prometheus and Argo CD are upgraded and rolled back under twenty Rollouts, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.components import OLDER_ARGOCD, OLDER_ISTIO, OLDER_PROMETHEUS
from e2e.types import Report
from e2e.upgrades.exchange import there_and_back
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.judging import judged
from fixtures.addons import argocd, istio, prometheus
from fixtures.environment.environment import Environment
from fixtures.kube.client import Kube, pods_of

# The newer version of each, where its pods are, and the images of those that are exchanged.
_ADD_ONS = {
    "istio": ("1.31.0", istio.NAMESPACE, ("/pilot:", "/proxyv2:")),
    "prometheus": ("v3.16.0", prometheus.NAMESPACE, ("/prometheus:",)),
    "argocd": ("v3.6.1", argocd.NAMESPACE, ("/argocd:",)),
}
_OLDER = {"istio": OLDER_ISTIO, "prometheus": OLDER_PROMETHEUS, "argocd": OLDER_ARGOCD}
# The kinds whose CRDs change, with which the API server ends what watches them.
_REDEFINED = {"istio": ("DestinationRule", "VirtualService")}
# A measurement that finds no Prometheus is an error, and is tried again 10 s later: at most twice each time.
_ERRORS = {"prometheus": range(1, 5)}


@pytest.mark.scenario("up-7")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("component", "further"),
    [(name, f"{name}={older}") for name, older in _OLDER.items()],
    indirect=["further"],
    ids=_OLDER.keys(),
)
def test_twenty_rollouts_do_not_notice_another_add_on(
    component: str, further: Environment, numbers: Report, tmp_path: Path
) -> None:
    newer, namespace, images = _ADD_ONS[component]
    fleet = Fleet(further, tmp_path / "trial")
    with fleet.trial as app:
        further.load_images_of(component, newer)
        with fleet.traffic():
            fleet.release()
            there_and_back(
                fleet, component, _OLDER[component], newer, runs=lambda: _tags(app.kube, namespace, images)
            )
            fleet.go_on()
        despite, errors = _REDEFINED.get(component, ()), _ERRORS.get(component, range(1))
        numbers(**judged(fleet, despite_gaps_of=despite, errors=errors))


def _tags(kube: Kube, namespace: str, images: tuple[str, ...]) -> set[str]:
    """The tags of these images that pods of a namespace run."""
    pods = pods_of(kube, namespace, "")
    running = [container["image"] for pod in pods for container in pod["spec"]["containers"]]
    return {image.rpartition(":")[2] for image in running if any(each in image for each in images)}
