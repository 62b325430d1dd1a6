"""Kubernetes is upgraded on the native node: control plane first, then kubelet, and pods go on serving."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from e2e.components import OLDER_KUBERNETES
from e2e.types import Report
from e2e.upgrades.exchange import QUIET
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.judging import lost_requests
from e2e.upgrades.members import UNDER_KUBERNETES
from fixtures.core.errors import NotObservedError
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.judge.upgrades import across, assert_undisturbed, upgrades
from fixtures.kube.client import Kube
from fixtures.kube.kinds import NODE

_NEWER = "v1.37.2"
_RATE = 15.0
_WATCHES_SECONDS, _A_MOMENT = 60, 0.5
# The API server that ends does not keep what it has told watches, and so the recorder lists everything anew.
_WATCHED = ("Pod", "ReplicaSet", "Rollout", "VirtualService", "Service", "DestinationRule")


@pytest.mark.scenario("up-6")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "further", [f"kubernetes={OLDER_KUBERNETES}"], indirect=True, ids=[pytest.HIDDEN_PARAM]
)
def test_releases_do_not_notice_another_kubernetes(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    fleet = Fleet(further, tmp_path / "trial", UNDER_KUBERNETES, rate=_RATE)
    with fleet.trial as app:
        with fleet.traffic():
            fleet.release()
            assert _versions(app.kube) == {OLDER_KUBERNETES}
            fleet.stays(QUIET)
            app.upgrade("kubernetes", _NEWER)
            assert _versions(app.kube) == {_NEWER}
            until(partial(_observed, fleet), what="watches of the new API server", timeout=_WATCHES_SECONDS)
            fleet.stays(QUIET)
            fleet.go_on()
        records = app.records()
        undisturbed = assert_undisturbed(records, window=across(records), despite_gaps_of=_WATCHED)
        sent = lost_requests(fleet, records)
    (upgrade,) = upgrades(records)
    took = upgrade.during.end - upgrade.during.start
    numbers(took=f"{took:.1f} s", meanwhile=undisturbed, failed_requests=f"0 of {sent:,}")


def _observed(fleet: Fleet) -> None:
    """Raise `PendingError` while the recorder's own watches begin anew."""
    try:
        fleet.stays(_A_MOMENT)
    except NotObservedError as error:
        raise PendingError(error.message) from error


def _versions(kube: Kube) -> set[str]:
    """The versions of the kubelets, and of the API server."""
    kubelets = {each["status"]["nodeInfo"]["kubeletVersion"] for each in kube.list(NODE)[0]}
    return kubelets | {json.loads(kube.raw("/version"))["gitVersion"]}
