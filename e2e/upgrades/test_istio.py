"""Istio is upgraded in place and rolled back: control plane, gateway, and then the sidecars of apps."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from e2e.components import OLDER_ISTIO
from e2e.types import Report
from e2e.upgrades.exchange import QUIET
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.judging import lost_requests
from e2e.upgrades.members import MESHED
from e2e.upgrades.places import NEW, runs_alone
from fixtures.addons import istio
from fixtures.conditions.conditions import promoted
from fixtures.core.names import ISTIO_PROXY
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.judge.upgrades import assert_undisturbed, upgrades
from fixtures.kube.client import Kube, Object, pods_of

_NEWER = "1.31.0"
_RATE = 25.0
_RESTART_SECONDS = 180
_OLD_PODS_SECONDS = 120
# The kinds whose CRDs change, with which the API server ends what watches them.
_REDEFINED = ("DestinationRule", "VirtualService")
# The one whose sidecars stay as they are, so that a release meets a control plane of another version.
_MIXED = "subsets"


@pytest.mark.scenario("up-3")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("further", [f"istio={OLDER_ISTIO}"], indirect=True, ids=[pytest.HIDDEN_PARAM])
def test_no_request_is_lost_while_istio_is_replaced(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    fleet = Fleet(further, tmp_path / "trial", MESHED, rate=_RATE, replicas=2, mesh=True)
    with fleet.trial as app:
        further.load_images_of("istio", _NEWER)
        with fleet.traffic():
            fleet.release()
            fleet.stays(QUIET)
            for version, release in ((_NEWER, NEW), (OLDER_ISTIO, "1.0")):
                app.upgrade("istio", version)
                assert _versions(app.kube, istio.NAMESPACE) == {version}
                fleet.stays(QUIET)
                fleet.apps[_MIXED].deploy(release)
                app.wait(promoted(release, name=_MIXED), within=120)
                _replace_sidecars(fleet, version)
                fleet.returns()
                fleet.stays(QUIET)
                # The old version ends 30 s after the promotion, which is no work of the next upgrade.
                app.wait(runs_alone(_MIXED, release), within=_OLD_PODS_SECONDS)
            fleet.go_on()
        records = app.records()
        for each in upgrades(records):
            undisturbed = assert_undisturbed(records, window=each.during, despite_gaps_of=_REDEFINED)
        sent = lost_requests(fleet, records)
    numbers(took=" and ".join(f"{each.during.end - each.during.start:.1f} s" for each in upgrades(records)))
    numbers(meanwhile=undisturbed, failed_requests=f"0 of {sent:,}")


def _replace_sidecars(fleet: Fleet, version: str) -> None:
    """Restart all Rollouts but one, and wait until their pods have sidecars of a version."""
    fleet.trial.restart()
    for name, app in fleet.apps.items():
        if name != _MIXED:
            app.restart()
    until(partial(_have_sidecars, fleet, version), what=f"sidecars {version}", timeout=_RESTART_SECONDS)


def _have_sidecars(fleet: Fleet, version: str) -> None:
    pods = pods_of(fleet.trial.kube, fleet.trial.namespace, f"app!={_MIXED}")
    others = [pod["metadata"]["name"] for pod in pods if _proxies(pod) != {version} or not _is_ready(pod)]
    if others or not pods:
        raise PendingError(f"of {len(pods)} pods, these have not: {', '.join(others)}")


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    ready = any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _versions(kube: Kube, namespace: str) -> set[str]:
    """The versions of istiod and of the proxy of the gateway."""
    return {version for pod in pods_of(kube, namespace, "") for version in _tags(pod, "containers")}


def _proxies(pod: Object) -> set[str]:
    return {_tag(each) for each in pod["spec"]["initContainers"] if each["name"] == ISTIO_PROXY}


def _tags(pod: Object, field: str) -> set[str]:
    return {_tag(each) for each in pod["spec"][field]}


def _tag(container: Object) -> str:
    return str(container["image"]).rpartition(":")[2]
