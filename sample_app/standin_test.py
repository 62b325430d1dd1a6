"""The stand-in as it runs in a pod: a real process, real sockets, HTTP/1.1, HTTP/2 and gRPC."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import requests

from fixtures.core import loopback, process, retry
from fixtures.core.retry import PendingError
from sample_app import versions
from sample_app.api.standin import VARIABLE
from sample_app.api.standin.settings import HOST_VARIABLE, KUBELET, Metric, Probe, StandIn
from sample_app.api_test import free_port, image
from sample_app.http2_for_test import Http2Client

Connect = Callable[[int], Http2Client]

KUBELETS = {"user-agent": f"{KUBELET}1.37"}
COUNTER: Metric = {
    "name": "http_server_requests_seconds",
    "kind": "histogram",
    "per_second": 1.0,
    "bounds": [0.25, 1.0],
    "counts": "all",
    "labels": {"status": "code", "uri": "path", "outcome": "series", "method": "method", "rev": "hash"},
    "fixed": {"application": "shop"},
}
FAILURES: Metric = {
    "name": "nginx_ingress_controller_errors",
    "kind": "counter",
    "per_second": 1.0,
    "bounds": [],
    "counts": "bad",
    "labels": {"grpc_code": "grpc-name"},
    "fixed": {},
}


@dataclass
class Running:
    """One stand-in with two ports."""

    process: subprocess.Popen[bytes]
    main: int
    management: int
    log: Path

    def get(self, path: str, *, port: int = 0, headers: dict[str, str] | None = None) -> requests.Response:
        url = f"http://127.0.0.1:{port or self.main}{path}"
        return loopback.request("GET", url, headers=headers or {}, timeout=30)

    def probe(self, path: str) -> int:
        return self.get(path, port=self.management, headers=KUBELETS).status_code

    def metrics(self) -> str:
        return self.get("/actuator/prometheus", port=self.management).text

    def await_answers(self) -> None:
        def connect() -> None:
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            try:
                socket.create_connection(("127.0.0.1", self.main), timeout=5).close()
            except OSError as error:
                raise PendingError(str(error)) from error

        retry.until(connect, what="the stand-in listens", timeout=60, interval=0.02)


class Start(Protocol):
    def __call__(self, tag: str, *probes: Probe, linger: float = 0, wait: bool = True) -> Running: ...


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a version in place of an app with two ports, ended after the module at the latest."""
    running: list[subprocess.Popen[bytes]] = []

    def starter(tag: str, *probes: Probe, linger: float = 0, wait: bool = True) -> Running:
        main, management = free_port(), free_port()
        for each in probes:
            each["port"] = management
        described: StandIn = {
            "ports": [main, management],
            "probes": [
                http("readiness", "/ready", management),
                http("liveness", "/live", management),
                *probes,
            ],
            "scrape_port": management,
            "scrape_path": "/actuator/prometheus",
            "metrics": [COUNTER, FAILURES],
            "routes": ["/orders/{id}"],
            "linger": linger,
        }
        folder = image(tmp_path_factory.mktemp("app"), versions.of(tag).version_json())
        environment = {
            HOST_VARIABLE: "127.0.0.1",
            "FIREDAMP_POD": "shop-abc",
            "FIREDAMP_POD_HASH": "5d4c",
            VARIABLE: json.dumps(described),
        }
        log = folder / "log"
        child = process.spawn([sys.executable, "-m", "api"], log=log, cwd=folder, env=environment)
        running.append(child)
        app = Running(child, main, management, log)
        if wait:
            app.await_answers()
        return app

    yield starter
    for child in running:
        child.kill()
        child.wait()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to a port by HTTP/2; the connections are closed after the test."""
    clients: list[Http2Client] = []

    def connector(port: int) -> Http2Client:
        clients.append(Http2Client(port))
        return clients[-1]

    yield connector
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def good(start: Start) -> Running:
    return start("1.0")


@pytest.fixture(scope="module")
def failing(start: Start) -> Running:
    return start("1.2-5xx", grpc("readiness", "shop"))


@pytest.fixture(scope="module")
def never_ready(start: Start) -> Running:
    return start("1.2-neverready", grpc("readiness", "shop"), grpc("liveness", "alive"))


def http(use: str, path: str, port: int = 0) -> Probe:
    return {"use": use, "kind": "http", "port": port, "path": path, "agent": KUBELET}  # type: ignore[typeddict-item]


def grpc(use: str, service: str) -> Probe:
    return {"use": use, "kind": "grpc", "port": 0, "path": service, "agent": KUBELET}  # type: ignore[typeddict-item]


SERVING, NOT_SERVING = b"\0\0\0\0\2\x08\1", b"\0\0\0\0\2\x08\2"
# A frame of data that belongs to no stream.
FRAME_OF_NO_STREAM = b"\0\0\1\0\0\0\0\0\0x"


@pytest.mark.parametrize("path", ["/", "/orders/7?x=1", "/ready", "/no/such/path"])
def test_every_path_is_answered_on_every_port(good: Running, path: str) -> None:
    for port in (good.main, good.management):
        answer = good.get(path, port=port)
        assert (answer.status_code, answer.json()) == (200, {"version": "1.0"})
        assert (answer.headers["x-version"], answer.headers["x-pod"]) == ("1.0", "shop-abc")


def test_a_body_is_no_obstacle(good: Running) -> None:
    with loopback.session() as session:
        url = f"http://127.0.0.1:{good.main}/orders"
        assert [session.post(url, data=b"x" * 300_000, timeout=30).status_code for _ in range(3)] == [200] * 3


def test_a_head_request_gets_no_body(good: Running) -> None:
    answer = loopback.request("HEAD", f"http://127.0.0.1:{good.main}/", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_fault_is_in_each_request_but_the_kubelets(failing: Running) -> None:
    assert failing.get("/orders").status_code == 500
    assert [failing.probe(path) for path in ("/ready", "/live")] == [200, 200]
    # The path of a probe is a path of the app too, when a client asks it.
    assert failing.get("/ready", port=failing.management).status_code == 500
    assert failing.get("/ready", headers=KUBELETS).status_code == 500, "the probe asks another port"
    hook = failing.get("/stop", headers={"user-agent": "kube-lifecycle/1.37"})
    assert hook.status_code == 200


def test_never_ready_fails_the_readiness_probe_alone(never_ready: Running) -> None:
    assert [never_ready.probe(path) for path in ("/ready", "/live", "/ready")] == [503, 200, 503]
    assert never_ready.get("/orders").status_code == 200


def test_never_ready_fails_a_readiness_probe_that_only_connects(start: Start) -> None:
    probe: Probe = {"use": "readiness", "kind": "tcp", "port": 0, "path": "", "agent": ""}
    running = start("1.2-neverready", probe)
    assert running.get("/orders").status_code == 200
    with pytest.raises(requests.ConnectionError):
        running.probe("/live")


def test_http2_and_http1_share_a_port(good: Running, connect: Connect) -> None:
    client = connect(good.main)
    first, second = client.begin("/orders"), client.begin("/orders?x=2", b"x" * 5000)
    replies = client.replies(first, second)
    for each in replies.values():
        assert each.headers[":status"] == "200"
        assert each.headers["x-version"] == "1.0"
        assert json.loads(each.body) == {"version": "1.0"}
    assert good.get("/orders").status_code == 200


def test_slow_requests_of_one_connection_are_answered_side_by_side(start: Start, connect: Connect) -> None:
    client = connect(start("1.2-slow-300").main)
    began = time.monotonic()
    client.replies(*(client.begin(f"/orders/{each}") for each in range(20)))
    assert 0.3 <= time.monotonic() - began < 20 * 0.3


def test_the_health_of_grpc_is_serving(good: Running, connect: Connect) -> None:
    for service in ("", "shop.v1.Shop"):
        reply = connect(good.main).health(service)
        assert (reply.headers[":status"], reply.headers["content-type"]) == ("200", "application/grpc")
        assert (reply.body, reply.trailers) == (SERVING, {"grpc-status": "0"})


def test_the_health_of_a_version_never_ready_is_not_serving(never_ready: Running, connect: Connect) -> None:
    client = connect(never_ready.management)
    assert client.health("shop").body == NOT_SERVING
    assert client.health("alive").body == SERVING
    assert client.health("shop").trailers == {"grpc-status": "0"}


def test_a_fault_is_an_error_of_grpc_and_health_stays(failing: Running, connect: Connect) -> None:
    client = connect(failing.management)
    reply = client.get(
        "/shop.v1.Shop/Get", b"\0\0\0\0\0", content_type="application/grpc+proto", te="trailers"
    )
    assert (reply.headers[":status"], reply.body, reply.trailers) == ("200", b"", {"grpc-status": "13"})
    assert client.health("shop").body == SERVING


def test_a_call_of_grpc_gets_an_empty_message(good: Running, connect: Connect) -> None:
    reply = connect(good.main).get("/shop.v1.Shop/Get", b"\0\0\0\0\0", content_type="application/grpc")
    assert (reply.body, reply.trailers) == (b"\0\0\0\0\0", {"grpc-status": "0"})


def test_http2_that_is_none_closes_the_connection(good: Running) -> None:
    with socket.create_connection(("127.0.0.1", good.main), timeout=30) as raw:
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + FRAME_OF_NO_STREAM)
        while raw.recv(65536):
            pass
    assert good.get("/").status_code == 200


def test_requests_are_counted_as_they_were_answered(start: Start, connect: Connect) -> None:
    running = start("1.2-firstfails")
    assert "http_server_requests_seconds_count" not in running.metrics(), "no request, no series"
    for path in ("/orders/7", "/orders/8?x=1", "/health", "/health"):
        running.get(path)
    connect(running.main).get("/orders/9")
    counted = running.metrics()
    name, own = "http_server_requests_seconds_count", 'application="shop",method="GET"'
    failed = 'outcome="SERVER_ERROR",rev="5d4c",status="500"'
    served = 'outcome="SUCCESS",rev="5d4c",status="200"'
    assert f'{name}{{{own},{failed},uri="/orders/{{id}}"}} 1.0' in counted
    assert f'{name}{{{own},{served},uri="/orders/{{id}}"}} 2.0' in counted
    assert f'{name}{{{own},{served},uri="/health"}} 2.0' in counted
    bucket = name.replace("_count", "_bucket")
    labels = own.replace(",", ',le="0.25",')
    assert f'{bucket}{{{labels},{served},uri="/health"}} 2.0' in counted
    assert "# TYPE nginx_ingress_controller_errors untyped" in counted
    assert 'nginx_ingress_controller_errors{grpc_code="Internal"} 1.0' in counted


def test_label_values_are_bounded(start: Start) -> None:
    running = start("1.1")
    with loopback.session() as session:
        for each in range(150):
            session.get(f"http://127.0.0.1:{running.main}/p{each}", timeout=30)
        session.request("PURGE", f"http://127.0.0.1:{running.main}/p1", timeout=30)
    counted = running.metrics()
    paths = {line.split('uri="')[1].split('"')[0] for line in counted.splitlines() if 'uri="' in line}
    assert len(paths) == 101
    assert 'method="other"' in counted


def test_a_page_of_metrics_is_longer_than_a_window_of_http2(start: Start, connect: Connect) -> None:
    running = start("1.1")
    with loopback.session() as session:
        for each in range(90):
            session.get(f"http://127.0.0.1:{running.main}/{'long' * 60}{each}", timeout=30)
    reply = connect(running.management).get("/actuator/prometheus")
    assert len(reply.body) > 100_000
    assert reply.body.count(b'le="+Inf"') == 90


def test_sigterm_ends_readiness_then_asks_clients_to_leave(start: Start, connect: Connect) -> None:
    running = start("1.0", linger=1)
    client = connect(running.main)
    client.get("/orders")
    running.process.send_signal(signal.SIGTERM)
    retry.until(lambda: _draining(running), what="not ready", timeout=30, interval=0.01)
    assert running.get("/orders").headers["connection"] == "close"
    assert client.get("/orders").headers[":status"] == "200"
    assert client.is_told_to_leave
    assert client.get("/orders").headers[":status"] == "200", "until it has left, it is served"
    assert running.process.wait(timeout=30) == 0
    assert client.closed()


def _draining(running: Running) -> None:
    if running.probe("/ready") != 503:
        raise PendingError("still ready")


def test_sigterm_waits_for_requests_of_http2(start: Start, connect: Connect) -> None:
    running = start("1.2-slow-1200", linger=0)
    client, idle = connect(running.management), connect(running.main)
    stream = client.begin("/orders")
    client.get("/actuator/prometheus")  # answered at once, and after the request before it was read
    running.process.send_signal(signal.SIGTERM)
    assert client.replies(stream)[stream].headers[":status"] == "200"
    assert running.process.wait(timeout=30) == 0
    assert idle.closed()


def test_a_version_that_needs_a_ledger_is_no_stand_in(start: Start) -> None:
    running = start("1.3-ledger", wait=False)
    assert running.process.wait(timeout=60) == 1
    assert "only the payments API has" in running.log.read_text()


def test_crash_is_a_crash(start: Start) -> None:
    running = start("1.2-crash", wait=False)
    assert running.process.wait(timeout=60) == 1
    assert "PAYMENTS_LEDGER_URL" in running.log.read_text()


@pytest.mark.parametrize("text", ["{", "[]", "{}", "7"])
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = image(tmp_path, versions.of("1.0").version_json())
    with pytest.raises(process.CommandError, match=r"exit code 1\n.*stand-in: the description of the app"):
        process.run([sys.executable, "-m", "api"], cwd=folder, env={VARIABLE: text}, timeout=60)


def test_a_port_that_is_taken_is_said(tmp_path: Path, good: Running) -> None:
    folder = image(tmp_path, versions.of("1.0").version_json())
    described = {key: [] for key in StandIn.__required_keys__} | {"ports": [good.main], "linger": 0}
    environment = {
        VARIABLE: json.dumps(described | {"scrape_port": 0, "scrape_path": ""}),
        HOST_VARIABLE: "127.0.0.1",
    }
    with pytest.raises(process.CommandError, match=r"a port cannot be listened on: .*in use"):
        process.run([sys.executable, "-m", "api"], cwd=folder, env=environment, timeout=60)
