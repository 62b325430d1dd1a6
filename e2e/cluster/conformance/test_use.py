"""What a running cluster of every provider offers: Services, images, Secrets, logs."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from e2e.cluster.conformance.workload import NAME, NAMESPACE, PORT, Workload
from e2e.types import Report
from fixtures.core.answering import until_answered
from fixtures.core.errors import FiredampError
from fixtures.kube.client import Kube
from fixtures.kube.kinds import NODE
from fixtures.kube.provider import ClusterProvider, LoadsImages, load_images
from fixtures.kube.wait import node_ready

_LOOPBACK = "0100007F"
_LISTENING = "0A"


def test_its_nodes_are_ready_and_its_kubeconfig_opens_the_api_server(cluster: ClusterProvider) -> None:
    nodes, _ = cluster.kube.list(NODE)
    assert nodes
    for node in nodes:
        node_ready(node)
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert Kube.from_kubeconfig(cluster.kubeconfig).raw("/readyz") == "ok"


def test_the_kubeconfigs_of_the_user_stay_as_they_are(
    cluster: ClusterProvider, kubeconfigs: list[Path]
) -> None:
    assert cluster.kubeconfig not in kubeconfigs
    assert [file.read_text() for file in kubeconfigs] == ["precious: true\n"] * 2


def test_an_image_is_loaded_once_and_runs_or_its_loading_is_refused(
    cluster: ClusterProvider, running: Workload, numbers: Report
) -> None:
    assert running.pod(cluster.kube)
    if not isinstance(cluster, LoadsImages):
        with pytest.raises(FiredampError, match="images cannot be loaded") as refused:
            load_images(cluster, running.archive)
        assert refused.value.hint
        return
    began = time.monotonic()
    cluster.load_image(running.archive)
    again = time.monotonic() - began
    assert again < 10, f"to load it again took {again:.1f} s"
    numbers(load_again=f"{again:.2f} s")


def test_an_archive_that_is_missing_or_damaged_is_refused(cluster: ClusterProvider, tmp_path: Path) -> None:
    with pytest.raises(FiredampError, match=r"none\.tar"):
        load_images(cluster, tmp_path / "none.tar")
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(b"this is not an archive" * 100)
    with pytest.raises(FiredampError, match=r"damaged\.tar"):
        load_images(cluster, damaged)


def test_a_service_is_served_on_loopback_by_number_and_by_name(
    cluster: ClusterProvider, running: Workload
) -> None:
    assert running
    by_number, by_name = cluster.url_of(NAME, NAMESPACE, PORT), cluster.url_of(NAME, NAMESPACE, "http")
    for url in (by_number, by_name):
        answer = until_answered(f"{url}/payments", what="the sample API behind its Service", timeout=60)
        assert (answer.status_code, answer.headers["x-version"]) == (200, "1.0")
    assert by_number.startswith("http://127.0.0.1:")
    port = int(by_number.rpartition(":")[2])
    assert _listening_on(port) == {_LOOPBACK}
    assert cluster.url_of(NAME, NAMESPACE, PORT, scheme="https") == f"https://127.0.0.1:{port}"


def test_what_cannot_be_served_is_said_in_one_error(cluster: ClusterProvider, running: Workload) -> None:
    assert running
    with pytest.raises(FiredampError, match=f"no Service nothing in namespace {NAMESPACE}"):
        cluster.url_of("nothing", NAMESPACE, PORT)
    for port in (4711, "grpc"):
        with pytest.raises(FiredampError, match=f"Service {NAMESPACE}/{NAME} has no port {port}"):
            cluster.url_of(NAME, NAMESPACE, port)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FiredampError, match=f"port {port}"):
            cluster.url_of(NAME, NAMESPACE, PORT, listen=port)


def test_a_command_in_a_container_gives_its_output_or_the_reason_why_not(
    cluster: ClusterProvider, running: Workload
) -> None:
    pod = running.pod(cluster.kube)

    def execute(*command: str) -> str:
        return cluster.kube.execute(pod, NAMESPACE, NAME, command)

    assert execute("python3", "-c", "print(6 * 7)") == "42\n"
    with pytest.raises(FiredampError, match=r"exit code 3(.|\n)*sorry"):
        execute("python3", "-c", "print('sorry'); raise SystemExit(3)")
    with pytest.raises(FiredampError, match="no-such-command"):
        execute("no-such-command")


def test_a_dump_tells_of_the_cluster(cluster: ClusterProvider, tmp_path: Path) -> None:
    cluster.dump(tmp_path)
    files = [path for path in (tmp_path / "node").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 0


def _listening_on(port: int) -> set[str]:
    """The addresses on which somebody listens on a port of this host, as the kernel writes them."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()
    ]
    sockets = [line[1].split(":") for line in lines[1:] if line[3] == _LISTENING]
    return {address for address, number in sockets if int(number, 16) == port}
