"""kind under test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.conformance.rig import Power, Rig
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.kube.provider import ClusterProvider
from fixtures.providers.kind import checks
from fixtures.providers.kind.docker import Docker
from fixtures.providers.kind.image import node_image
from fixtures.providers.kind.provider import KindCluster
from fixtures.providers.native.traces import Trace

_DOCKER_SECONDS = 90


class KindRig(Rig):
    """Clusters whose nodes are containers of this machine's Docker."""

    provider = "kind"
    powers = frozenset({Power.LOADS_IMAGES})
    # kind cannot be told to give up; docker has its containers removed under it.
    gone_seconds = 120
    arguments = (provider,)

    @classmethod
    def missing(cls) -> str:
        """Lists what `firedamp doctor --provider kind` would."""
        found = checks.check((), all_recipes())
        return "; ".join(f"{check.name}: {check.found}" for check in found if not check.ok)

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[Rig]:
        """Its clusters share a Docker, and nothing in it but the network `kind`."""
        yield cls()

    def cluster(self, name: str) -> ClusterProvider:
        """A cluster of one node."""
        kind = Builder(all_recipes()).get("kind")["kind"] / "kind"
        return KindCluster(kind, image=node_image(Docker(), ""), name=name)

    def bring(self, archive: Path, cluster: ClusterProvider) -> None:
        """The provider itself does it."""
        cluster.load_image(archive)

    def traces(self, name: str) -> list[Trace]:
        """Also containers, as docker itself lists them."""
        command = ["docker", "ps", "--all", "--format", "{{.Names}}", "--filter", f"name={name}"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=_DOCKER_SECONDS, check=True)
        return [*super().traces(name), *(Trace("container", each) for each in listed.stdout.split())]
