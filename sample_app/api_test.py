"""The API as it runs in a pod: a real process, real sockets, real signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import requests

import sample_app
from fixtures.core import loopback, process, retry
from fixtures.core.answering import until_answered
from fixtures.core.errors import ConditionNotMetError
from sample_app import versions

ORDER = {"amount": 1250, "currency": "EUR", "payee": "Ada"}
SHARED = ("1.0", "1.2-5xx", "1.2-slow-300", "1.2-neverready", "1.2-firstfails", "1.2-overload-2")


@dataclass
class Server:
    """One running process of the API."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> requests.Response:
        return loopback.get(self.url + path, timeout=30)

    def post(self, body: object) -> requests.Response:
        return loopback.request(
            "POST",
            self.url + "/payments",
            data=body if isinstance(body, str) else json.dumps(body),
            timeout=30,
        )

    def await_answers(self) -> None:
        try:
            until_answered(self.url + "/healthz", what="/healthz answers", timeout=60, interval=0.02)
        except ConditionNotMetError as error:
            error.add_note(self.log.read_text())
            raise


class Start(Protocol):
    def __call__(self, tag: str, **environment: str) -> Server: ...


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a version in a folder like the image's /app, ended after the module at the latest."""
    running: list[subprocess.Popen[bytes]] = []

    def starter(tag: str, **environment: str) -> Server:
        folder = image(tmp_path_factory.mktemp("app"), versions.of(tag).version_json())
        port = free_port()
        settings = {"HOST": "127.0.0.1", "PORT": str(port), "POD_NAME": "payments-abc", "LINGER_SECONDS": "0"}
        log = folder / "log"
        child = process.spawn([sys.executable, "-m", "api"], log=log, cwd=folder, env=settings | environment)
        running.append(child)
        return Server(child, f"http://127.0.0.1:{port}", log)

    yield starter
    for child in running:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def servers(start: Start) -> dict[str, Server]:
    """One server of each version that tests share, started side by side."""
    servers = {tag: start(tag) for tag in SHARED}
    for server in servers.values():
        server.await_answers()
    return servers


@pytest.fixture
def good(servers: dict[str, Server]) -> Server:
    return servers["1.0"]


def image(folder: Path, version_json: str) -> Path:
    (folder / "api").symlink_to(Path(sample_app.__file__).parent / "api")
    (folder / "version.json").write_text(version_json)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_creates_and_lists_payments_newest_first(good: Server) -> None:
    created = [good.post({**ORDER, "payee": payee}) for payee in ("Ada", "Grace")]
    assert [response.status_code for response in created] == [201, 201]
    listed = good.get("/payments?limit=2").json()["payments"]
    assert listed == [created[1].json(), created[0].json()]
    assert {key: listed[0][key] for key in ORDER} == {**ORDER, "payee": "Grace"}


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        ("{", 400, "not JSON"),
        ("[" * 4000, 400, "not JSON"),
        ([], 422, "not an object"),
        ({}, 422, "amount"),
        ({**ORDER, "amount": 0}, 422, "amount"),
        ({**ORDER, "amount": True}, 422, "amount"),
        ({**ORDER, "amount": 12.5}, 422, "amount"),
        ({**ORDER, "amount": 10**12}, 422, "amount"),
        ({**ORDER, "currency": "eur"}, 422, "currency"),
        ({**ORDER, "currency": 978}, 422, "currency"),
        ({**ORDER, "payee": "\ud800"}, 422, "payee"),
        ({**ORDER, "payee": " "}, 422, "payee"),
        ({**ORDER, "payee": "x" * 65}, 422, "payee"),
    ],
)
def test_refuses_what_is_not_a_payment(good: Server, body: object, status: int, complaint: str) -> None:
    before = good.get("/payments?limit=100").json()
    response = good.post(body)
    assert response.status_code == status
    assert complaint in response.json()["error"]
    assert good.get("/payments?limit=100").json() == before


def test_refuses_a_body_that_is_too_long(good: Server) -> None:
    assert good.post({**ORDER, "note": "x" * 5000}).status_code == 413


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "²", "9" * 5000])
def test_refuses_a_limit_out_of_range(good: Server, limit: str) -> None:
    assert good.get(f"/payments?limit={limit}").status_code == 422


@pytest.mark.parametrize("path", ["/payments", "/payments?limit=x", "/healthz", "/metrics", "/nowhere"])
def test_every_response_names_version_and_pod(good: Server, path: str) -> None:
    headers = good.get(path).headers
    assert (headers["x-version"], headers["x-pod"]) == ("1.0", "payments-abc")
    assert "connection" not in headers


def test_counts_and_times_requests(start: Start) -> None:
    server = start("1.1")
    server.await_answers()
    fresh = server.get("/metrics").text
    assert 'http_requests_total{code="500",method="GET",path="/payments"} 0.0' in fresh
    for path in ("/payments", "/payments", "/payments/1", "/payments/2"):
        server.get(path)
    server.post("{")
    loopback.request("PURGE", server.url + "/payments", timeout=30)
    counted = server.get("/metrics").text
    assert 'http_requests_total{code="200",method="GET",path="/payments"} 2.0' in counted
    assert 'http_requests_total{code="400",method="POST",path="/payments"} 1.0' in counted
    assert 'http_requests_total{code="404",method="GET",path="other"} 2.0' in counted
    assert 'http_requests_total{code="405",method="other",path="/payments"} 1.0' in counted
    assert 'http_request_duration_seconds_count{method="GET",path="/payments"} 2.0' in counted
    assert 'http_request_duration_seconds_bucket{le="0.5",method="GET",path="/payments"} 2.0' in counted


def test_errors_are_500_while_the_health_check_passes(servers: dict[str, Server]) -> None:
    server = servers["1.2-5xx"]
    responses = [server.get("/payments"), server.post(ORDER)]
    assert [response.status_code for response in responses] == [500, 500]
    assert responses[0].headers["x-version"] == "1.2-5xx"
    assert server.get("/healthz").status_code == 200
    assert 'http_requests_total{code="500",method="POST",path="/payments"} 1.0' in server.get("/metrics").text


def test_slow_delays_payments_only_and_side_by_side(servers: dict[str, Server]) -> None:
    server = servers["1.2-slow-300"]
    # The quickest of some, as the machine may have others to serve.
    assert min(server.get("/healthz").elapsed.total_seconds() for _ in range(9)) < 0.3
    began = time.monotonic()
    threads = [threading.Thread(target=server.get, args=("/payments",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.3 <= time.monotonic() - began < 20 * 0.3
    assert (
        'http_request_duration_seconds_bucket{le="0.1",method="GET",path="/payments"} 0.0'
        in server.get("/metrics").text
    )


def test_neverready_serves_payments_but_is_not_ready(servers: dict[str, Server]) -> None:
    server = servers["1.2-neverready"]
    assert server.post(ORDER).status_code == 201
    assert server.get("/payments").json()["payments"]
    assert [server.get("/healthz").status_code for _ in range(3)] == [503, 503, 503]
    assert "read back" in server.get("/healthz").json()["error"]


def test_firstfails_recovers_after_the_first_payment_request(servers: dict[str, Server]) -> None:
    server = servers["1.2-firstfails"]
    assert server.get("/healthz").status_code == 200
    assert [server.get("/payments").status_code for _ in range(3)] == [500, 200, 200]


def test_overload_fails_beyond_its_rate_only(servers: dict[str, Server]) -> None:
    server = servers["1.2-overload-2"]
    statuses = [server.get("/payments").status_code for _ in range(20)]
    assert statuses[:2] == [200, 200]
    assert 500 in statuses[2:]


def test_leak_grows_with_each_request(start: Start) -> None:
    server = start("1.2-leak-1024")
    server.await_answers()

    def resident_kib() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    before = resident_kib()
    for _ in range(16):
        server.get("/payments")
    assert resident_kib() - before > 12 * 1024


def test_crash_names_the_missing_variable_and_exits_1(start: Start) -> None:
    server = start("1.2-crash")
    assert server.process.wait(timeout=60) == 1
    assert "PAYMENTS_LEDGER_URL" in server.log.read_text()


def test_crash_is_cured_by_the_variable(start: Start) -> None:
    server = start("1.2-crash", PAYMENTS_LEDGER_URL="ledger://main")
    server.await_answers()
    assert server.get("/payments").status_code == 200


def test_a_shared_ledger_is_needed_and_a_migration_shuts_out_the_version_before(start: Start) -> None:
    ledger = start("1.0")
    before, after = (start(tag, PAYMENTS_LEDGER_URL=ledger.url) for tag in ("1.3-ledger", "1.3-ledger-2"))
    for server in (ledger, before, after):
        server.await_answers()
    assert before.get("/payments").status_code == 200
    assert [after.get("/payments").status_code for _ in range(2)] == [200, 200]
    assert len(ledger.get("/payments").json()["payments"]) == 1
    assert before.get("/payments").json() == {
        "error": "the ledger has rows of schema 2, and this version reads 1"
    }

    ledger.process.kill()
    ledger.process.wait()
    answer = after.get("/payments")
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("the ledger does not answer: ")
    assert after.get("/healthz").status_code == 200


def test_a_shared_ledger_that_answers_500_is_of_no_use(start: Start, servers: dict[str, Server]) -> None:
    server = start("1.3-ledger", PAYMENTS_LEDGER_URL=servers["1.2-5xx"].url)
    server.await_answers()
    problem = "the ledger does not answer: HTTP/1.1 500 Internal Server Error"
    assert server.get("/payments").json() == {"error": problem}


def test_without_the_variable_there_is_no_shared_ledger(start: Start) -> None:
    server = start("1.3-ledger")
    server.await_answers()
    assert "its URL is not set" in server.get("/payments").json()["error"]


@pytest.mark.parametrize("content", ["{", "[]", '{"version": "1.0"}', '{"version": "1.0", "fault": {}}'])
def test_an_image_without_a_proper_version_does_not_boot(tmp_path: Path, content: str) -> None:
    with pytest.raises(process.CommandError, match=r"exit code 1\n.*version\.json: "):
        process.run([sys.executable, "-m", "api"], cwd=image(tmp_path, content), timeout=60)


def test_sigterm_first_ends_readiness_then_serving_then_requests_in_flight(start: Start) -> None:
    server = start("1.2-slow-1200", LINGER_SECONDS="1")
    server.await_answers()
    in_flight: list[requests.Response] = []
    request = threading.Thread(target=lambda: in_flight.append(server.get("/payments")))

    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    draining = retry.until(lambda: not_ready(server), what="not ready", timeout=30, interval=0.01)
    assert draining.json() == {"error": "draining"}
    assert draining.headers["connection"] == "close"
    request.start()

    assert server.process.wait(timeout=30) == 0
    assert time.monotonic() - began > 1.1
    request.join()
    assert [response.status_code for response in in_flight] == [200]


def test_sigterm_closes_the_port_only_after_lingering(start: Start) -> None:
    server = start("1.1", LINGER_SECONDS="0.5")
    server.await_answers()
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    retry.until(lambda: refused(server), what="port closed", timeout=30, interval=0.02)
    assert time.monotonic() - began >= 0.5
    assert server.process.wait(timeout=30) == 0


def test_a_second_sigterm_ends_the_lingering(start: Start) -> None:
    server = start("1.1", LINGER_SECONDS="60")
    server.await_answers()
    server.process.send_signal(signal.SIGTERM)
    retry.until(lambda: not_ready(server), what="not ready", timeout=30, interval=0.01)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) == 0


def refused(server: Server) -> None:
    try:
        server.get("/payments")
    except requests.ConnectionError:
        return
    raise retry.PendingError("still served")


def not_ready(server: Server) -> requests.Response:
    response = server.get("/healthz")
    if response.status_code == 200:
        raise retry.PendingError("still ready")
    return response


def test_sigterm_ends_an_idle_server_with_open_connections(start: Start) -> None:
    server = start("1.1")
    server.await_answers()
    with loopback.session() as session:
        session.get(server.url + "/payments", timeout=30)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0


def test_a_port_that_is_taken_is_said(start: Start, good: Server) -> None:
    server = start("1.0", PORT=good.url.rpartition(":")[2])
    assert server.process.wait(timeout=60) != 0
    assert "address already in use" in server.log.read_text()
