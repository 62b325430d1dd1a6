"""When a start of an embedded node fails, one error says why, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster.conftest import NewCluster
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.providers import clusters
from fixtures.providers.native.config import NodeParts
from fixtures.providers.native.provider import NativeCluster
from fixtures.supervisor import registry


def test_what_a_killed_supervisor_leaves_is_listed_and_removed(control_plane: NewCluster) -> None:
    cluster = control_plane()
    cluster.start()
    listed = registry.find(cluster.name)
    assert listed
    assert listed.alive
    os.kill(listed.record.supervisor, signal.SIGKILL)
    until(lambda: _has_ended(listed.record.node), what="end of the node", timeout=30)
    left = registry.find(cluster.name)
    assert left
    assert not left.alive
    clusters.stop(cluster.name)
    assert registry.find(cluster.name) is None
    assert not list(Path("/sys/fs/cgroup").glob(f"**/firedamp-{cluster.name}-*"))


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
