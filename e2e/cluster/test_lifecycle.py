"""Clusters begin and end side by side; whatever goes wrong, one error says so and nothing stays."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster.conftest import NewCluster
from fixtures.cluster import clusters, registry
from fixtures.cluster.kinds import NAMESPACE
from fixtures.cluster.native.config import NodeParts
from fixtures.cluster.native.provider import NativeCluster
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until

_KEEPING = """\
import pickle, sys
from fixtures.cluster.native.provider import NativeCluster
cluster = NativeCluster(pickle.load(sys.stdin.buffer), name=sys.argv[1])
cluster.start()
cluster.keep()
"""


def test_two_clusters_share_nothing_and_a_name_is_given_once(
    node: NativeCluster, control_plane: NewCluster
) -> None:
    other = control_plane()
    other.start()
    other.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-there"}})
    assert node.kube.get(NAMESPACE, "only-there") is None

    with pytest.raises(FiredampError, match=f"a cluster named {other.name} exists"):
        NativeCluster(other._parts, name=other.name).start()  # noqa: SLF001
    assert other.kube.raw("/readyz") == "ok"

    other.stop()
    assert registry.find(other.name) is None
    assert node.kube.raw("/readyz") == "ok"


def test_a_kept_cluster_outlives_its_process_and_another_one_ends_it(control_plane: NewCluster) -> None:
    cluster = control_plane()
    pickled = pickle.dumps(cluster._parts)  # noqa: SLF001
    subprocess.run([sys.executable, "-c", _KEEPING, cluster.name], input=pickled, check=True, timeout=60)
    assert cluster.kube.raw("/readyz") == "ok"
    clusters.stop(cluster.name)
    assert registry.find(cluster.name) is None
    with pytest.raises(FiredampError, match=f"no cluster named '{cluster.name}'"):
        clusters.stop(cluster.name)


def test_what_a_killed_keeper_leaves_is_listed_and_removed(control_plane: NewCluster) -> None:
    cluster = control_plane()
    cluster.start()
    found = registry.find(cluster.name)
    assert found
    assert found.alive
    os.kill(found.record["keeper"], signal.SIGKILL)
    until(lambda: _has_ended(found.record["node"]), what="end of the node", timeout=5)
    left = registry.find(cluster.name)
    assert left
    assert not left.alive
    clusters.stop(cluster.name)
    assert registry.find(cluster.name) is None
    assert not list(Path("/sys/fs/cgroup").glob(f"*/firedamp-{cluster.name}"))


def test_a_taken_port_is_one_error_and_nothing_stays(control_plane: NewCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = control_plane(api_port=port)
        with pytest.raises(FiredampError, match=f"port {port} on loopback: Address already in use"):
            cluster.start()
    assert registry.find(cluster.name) is None


def test_a_component_that_does_not_come_up_is_named_with_its_log(parts: NodeParts, tmp_path: Path) -> None:
    broken = tmp_path / "kube-apiserver"
    broken.write_text("#!/bin/sh\necho no such flag: $1\nexit 3\n")
    broken.chmod(0o755)
    binaries = {**parts.binaries, "kube-apiserver": broken}
    cluster = NativeCluster(replace(parts, binaries=binaries, store=None, only=("etcd", "kube-apiserver")))
    with pytest.raises(FiredampError, match=r"kube-apiserver ended 3 times .*\n(.*\n)*no such flag: --etcd"):
        cluster.start()
    assert registry.find(cluster.name) is None


def test_a_component_that_is_missing_is_named(parts: NodeParts, tmp_path: Path) -> None:
    binaries = {**parts.binaries, "etcd": tmp_path / "no-etcd"}
    cluster = NativeCluster(replace(parts, binaries=binaries, store=None, only=("etcd", "kube-apiserver")))
    with pytest.raises(FiredampError, match=r"the node ended while it started:(.|\n)*no-etcd"):
        cluster.start()
    assert registry.find(cluster.name) is None


def test_a_state_folder_with_a_long_path_is_no_obstacle(
    control_plane: NewCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    cluster = control_plane()
    cluster.start()
    assert len(str(cluster.kubeconfig)) > 108
    cluster.stop()
    assert list(folder.iterdir()) == []


def _has_ended(pid: int) -> None:
    if Path(f"/proc/{pid}").exists():
        raise PendingError(f"process {pid} is there")
