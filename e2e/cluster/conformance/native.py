"""The embedded node under test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from e2e.cluster.conformance.rig import Power, Rig
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.kube.provider import ClusterProvider
from fixtures.providers.native import checks
from fixtures.providers.native.config import NodeParts
from fixtures.providers.native.parts import NEEDS, node_parts
from fixtures.providers.native.provider import NativeCluster


class NativeRig(Rig):
    """Clusters that are embedded nodes."""

    provider = "native"
    powers = frozenset({Power.LOADS_IMAGES})
    gone_seconds = 30
    arguments = (provider,)

    @classmethod
    def missing(cls) -> str:
        """Lists what `firedamp doctor` would."""
        found = checks.check((), all_recipes())
        return "; ".join(f"{check.name}: {check.found}" for check in found if not check.ok)

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[Rig]:
        """Its clusters share nothing."""
        yield cls()

    def cluster(self, name: str) -> ClusterProvider:
        """A node with every image in its store, and nothing applied."""
        return NativeCluster(parts(), name=name)

    def bring(self, archive: Path, cluster: ClusterProvider) -> None:
        """The provider itself does it."""
        cluster.load_image(archive)


@cache
def parts() -> NodeParts:
    """What a node is made of."""
    return node_parts(Builder(all_recipes()).get(*NEEDS))
