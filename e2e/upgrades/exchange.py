"""Upgrades a component under a fleet and rolls it back, and sees each time that the fleet stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Collection

from e2e.upgrades.fleet import Fleet
from e2e.upgrades.specimens import lost
from fixtures.kube.client import Object
from fixtures.kube.kinds import (
    ANALYSIS_RUN,
    ANALYSIS_TEMPLATE,
    DESTINATION_RULE,
    EXPERIMENT,
    GATEWAY,
    ROLLOUT,
    VIRTUAL_SERVICE,
    Kind,
)

_CUSTOM = (
    ROLLOUT, ANALYSIS_TEMPLATE, ANALYSIS_RUN, EXPERIMENT, VIRTUAL_SERVICE, DESTINATION_RULE, GATEWAY,
)  # fmt: skip
QUIET = 3
"""Seconds in which nothing may happen around an upgrade."""


def there_and_back(
    fleet: Fleet,
    component: str,
    older: str,
    newer: str,
    *,
    runs: Callable[[], set[str]],
    kinds: Collection[Kind] = _CUSTOM,
    quiet: float = QUIET,
) -> None:
    """Upgrade a component from one version to another, and roll it back.

    Args:
        fleet: The fleet, with each release at its place, under traffic.
        component: The component.
        older: The version that runs.
        newer: The version to upgrade to.
        runs: Returns the versions that the component's pods run.
        kinds: The kinds of custom resources that the fleet has.
        quiet: For how many seconds nothing may happen before and after each of both.
    """
    assert runs() == {older}
    fleet.stays(quiet)
    written = _specs(fleet, kinds)
    for version in (newer, older):
        fleet.trial.upgrade(component, version)
        assert runs() == {version}
        fleet.stays(quiet)
        assert not list(lost(written, _specs(fleet, kinds))), f"{version} does not read what was written"


def _specs(fleet: Fleet, kinds: Collection[Kind]) -> Object:
    """The specs of all custom resources of a fleet, by kind and name."""
    kube, namespace = fleet.trial.kube, fleet.trial.namespace
    specs = {
        f"{kind.kind} {each['metadata']['name']}": each["spec"]
        for kind in kinds
        for each in kube.list(kind, namespace)[0]
    }
    assert {name.partition(" ")[0] for name in specs} == {kind.kind for kind in kinds}
    return specs
