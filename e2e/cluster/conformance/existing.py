"""Existing clusters under test: embedded nodes that were there before."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.conformance.native import NativeRig, parts
from e2e.cluster.conformance.rig import Rig
from fixtures.kube.client import Kube
from fixtures.kube.kinds import SERVICE_ACCOUNT
from fixtures.kube.provider import ClusterProvider
from fixtures.kube.wait import wait_for
from fixtures.providers.existing.access import one_context
from fixtures.providers.existing.inventory import Item, items_of_any_run
from fixtures.providers.existing.marks import run_of
from fixtures.providers.existing.provider import ExistingCluster
from fixtures.providers.native.provider import NativeCluster
from fixtures.providers.native.traces import Trace


class ExistingRig(Rig):
    """Runs on a cluster that was there before."""

    provider = "existing"
    powers = frozenset()
    # Namespaces take their time.
    gone_seconds = 120

    def __init__(self, kubeconfig: str, context: str, node: NativeCluster | None = None) -> None:
        """Take the cluster to which a context of a kubeconfig leads; `node` is what it runs on."""
        self.arguments = (self.provider, kubeconfig, context)
        self._kubeconfig, self._context, self._node = kubeconfig, context, node
        self._kube = Kube.from_kubeconfig(Path(kubeconfig))

    @classmethod
    def missing(cls) -> str:
        """What an embedded node lacks, of which the cluster consists."""
        return NativeRig.missing()

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[Rig]:
        """Another cluster each time: two runs cannot have one."""
        with base() as node:
            yield cls(str(node.kubeconfig), node.name, node)

    def cluster(self, name: str) -> ClusterProvider:
        """A run on it."""
        return ExistingCluster(one_context(self._kubeconfig, self._context), name=name)

    def bring(self, archive: Path, cluster: ClusterProvider) -> None:  # noqa: ARG002
        """As an administrator of the cluster would."""
        assert self._node
        self._node.load_image(archive)

    def traces(self, name: str) -> list[Trace]:
        """Also what bears a run's label in the cluster."""
        left = [item for item in items_of_any_run(self._kube) if self._run_of(item).startswith(f"{name}-")]
        return [*super().traces(name), *(Trace("object", str(item)) for item in left)]

    def _run_of(self, item: Item) -> str:
        found = self._kube.get(item.kind, item.name, item.namespace)
        return run_of(found) if found else ""


@contextmanager
def base() -> Iterator[NativeCluster]:
    """A node that holds the images of all that tests run."""
    node = NativeCluster(parts(), name=f"base-{secrets.token_hex(3)}")
    try:
        node.start()
        node.wait_ready()
        what = "default service account"
        wait_for(node.kube, SERVICE_ACCOUNT, "default", "default", lambda _: None, what=what, timeout=120)
        yield node
    finally:
        node.stop()
