"""Makes the components that tests need in addition to a cluster with its stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fixtures.addons import metric_servers
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.recipes import ADDON_IMAGES
from fixtures.core.progress import Phases
from fixtures.environment.environment import Options, prepare

OLDER_ROLLOUTS, OLDER_ISTIO, OLDER_KUBERNETES = "v1.9.3", "1.30.4", "v1.36.3"
OLDER_PROMETHEUS, OLDER_ARGOCD = "v3.15.1", "v3.5.6"
# What tests need at another version than usual; of the other pinned versions nothing is built for them.
FURTHER_VERSIONS = (
    f"rollouts={OLDER_ROLLOUTS}",
    f"istio={OLDER_ISTIO}",
    f"kubernetes={OLDER_KUBERNETES}",
    f"prometheus={OLDER_PROMETHEUS}",
    f"argocd={OLDER_ARGOCD}",
)
# The fixture whose parameter is the component that the test needs, such as `istio=1.30.4`.
FURTHER = "further"
_GITOPS = "argocd="
# The components that a test needs, by the fixture that it asks for.
BY_FIXTURE = {
    "plugin_binary": ("rollouts-plugin",),
    "kubectl_binary": ("kubectl",),
    "servers": (metric_servers.ARCHIVE,),
    "registry": ("registry", "crane"),
    "container": ("registry", "crane", ADDON_IMAGES),
    FURTHER: (),
}


def needs_of(items: Iterable[pytest.Item]) -> frozenset[str]:
    """The components that tests need; `rollouts=v1.9.3` is one at another version than usual."""
    items = list(items)
    fixtures = {name for item in items for name in getattr(item, "fixturenames", ())}
    parameters = [item.callspec.params for item in items if hasattr(item, "callspec")]
    further = [str(each[FURTHER]) for each in parameters if FURTHER in each]
    return frozenset(
        [*further, *(need for name in fixtures & BY_FIXTURE.keys() for need in BY_FIXTURE[name])]
    )


def make(options: Options, items: Iterable[pytest.Item], *, gitops: bool, phases: Phases) -> None:
    """Make all that the tests need.

    Args:
        options: The options of the session's cluster.
        items: The tests.
        gitops: Whether a test needs a cluster with GitOps. A cluster without may be needed as well.
        phases: Where progress is reported.

    Raises:
        FiredampError: This machine lacks something, or a component cannot be had.
    """
    needs = needs_of(items)
    for with_gitops in sorted({False, gitops}):
        prepare(replace(options, gitops=with_gitops), phases)
    Builder(all_recipes(), phases=phases).get(*sorted(need for need in needs if "=" not in need))
    for need in sorted(need for need in needs if "=" in need):
        prepare(with_further(options, need), phases)


def with_further(options: Options, need: str) -> Options:
    """Options for a cluster that has a component, such as `istio=1.30.4`, and GitOps if it is Argo CD.

    Args:
        options: The options of the session's cluster.
        need: The component and its version.
    """
    return replace(options, versions=(*options.versions, need), gitops=need.startswith(_GITOPS))
