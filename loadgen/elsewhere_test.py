"""Loads whose workers wait behind a port with a key, as they would on other machines."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from fixtures.core.retry import until
from loadgen import joining
from loadgen.conftest import TinyServer
from loadgen.distributed_test import has_sent, listening, require_refused, schedule, statuses
from loadgen.elsewhere import Elsewhere, named
from loadgen.generators import Processes
from loadgen.joined_worker import JoinedWorker
from loadgen.keys import make_key, trusting_only
from loadgen.plan import Call, Stream
from loadgen.report import InvalidLoadError
from loadgen.runner import Traffic
from loadgen.shapes import Constant

pytestmark = pytest.mark.usefixtures("unhurried")

CALLS = (Call("/a", weight=3), Call("/b"), Call("/fail"))
STREAMS = [Stream("active", "payments.ns", CALLS), Stream("preview", "preview.payments.ns")]


class Waiting:
    """Workers of another machine, each behind a port of loopback."""

    def __init__(self, key: Path, count: int) -> None:
        self.said: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._workers = [
            JoinedWorker(trusting_only(key, is_server=True), self.said.append) for _ in range(count)
        ]
        self._servers = [self._do(each.listen("127.0.0.1", 0)) for each in self._workers]
        self.addresses = [("127.0.0.1", each.sockets[0].getsockname()[1]) for each in self._servers]

    def _do(self, listening: object) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)  # type: ignore[arg-type]

    def lose(self, place: int) -> None:
        """End one, with all that it has begun."""
        self._loop.call_soon_threadsafe(self._servers[place].close)
        for task in list(self._workers[place].tasks):
            self._loop.call_soon_threadsafe(task.cancel)

    def stop(self) -> None:
        for place in range(len(self._servers)):
            self.lose(place)
        asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _ended(self) -> None:
        tasks = [task for worker in self._workers for task in worker.tasks]
        await asyncio.gather(*tasks, return_exceptions=True)
        # A closed connection gives its socket back in the loop's next rounds.
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "load.key")
    return tmp_path / "load.key"


@pytest.fixture
def waiting(key: Path) -> Iterator[Waiting]:
    workers = Waiting(key, 2)
    yield workers
    workers.stop()


def traffic(
    server: TinyServer, folder: Path, generator: Elsewhere | Processes, *, shape: Constant
) -> Traffic:
    return Traffic(server.url, STREAMS, shape, folder, epoch=Epoch.take(), generator=generator)


def test_workers_elsewhere_send_the_same_schedule_and_all_their_records_arrive(
    server: TinyServer, tmp_path: Path, key: Path, waiting: Waiting
) -> None:
    shape = Constant(100, 1.5)
    here = traffic(server, tmp_path / "here", Processes(2), shape=shape)
    there = traffic(server, tmp_path / "there", Elsewhere(waiting.addresses, key), shape=shape)
    for load in (here, there):
        with load:
            load.wait_for_end()
    assert schedule(there.requests()) == schedule(here.requests())
    assert len(there.requests()) == 300
    [*_, last] = statuses(tmp_path / "there")
    assert {name: each.state for name, each in last.workers.items()} == {
        named(*address): "ended" for address in waiting.addresses
    }
    assert all(len(each.offsets) == 2 for each in last.workers.values())
    assert waiting.said[0] == f"a load of {server.url} begins: active, preview"


def test_nothing_of_locust_listens_on_a_network(
    server: TinyServer, tmp_path: Path, key: Path, waiting: Waiting
) -> None:
    with traffic(server, tmp_path, Elsewhere(waiting.addresses, key), shape=Constant(20)) as load:
        assert set(listening(load.pid)) == {"0100007F"}  # 127.0.0.1, as in proc(5)


def test_a_worker_that_is_lost_makes_the_run_invalid_and_is_named(
    server: TinyServer, tmp_path: Path, key: Path, waiting: Waiting
) -> None:
    load = traffic(server, tmp_path, Elsewhere(waiting.addresses, key), shape=Constant(50))
    lost, kept = (named(*each) for each in waiting.addresses)

    def scenario() -> None:
        with load:
            until(lambda: has_sent(load, 20), what="requests", timeout=30)
            waiting.lose(0)
            until(lambda: require_refused(load), what="a refusal", timeout=30)

    with pytest.raises(InvalidLoadError, match=rf"{lost} was lost after \d+ requests") as refused:
        scenario()
    assert kept not in refused.value.message


def test_another_key_is_refused_by_name_and_nothing_is_sent(
    server: TinyServer, tmp_path: Path, waiting: Waiting
) -> None:
    make_key(tmp_path / "other.key")
    load = traffic(
        server, tmp_path / "out", Elsewhere(waiting.addresses, tmp_path / "other.key"), shape=Constant(50)
    )
    with pytest.raises(FiredampError, match=rf"the worker {named(*waiting.addresses[0])} cannot be reached"):
        load.__enter__()
    assert server.seen == []


def test_who_has_no_key_gets_nothing(waiting: Waiting) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    invitation = b'{"code": "", "name": "", "plan": "", "token": "", "boot": ""}\n'
    with (
        socket.create_connection(waiting.addresses[0], 10) as plain,
        stranger.wrap_socket(plain) as tls,
        # In TLS 1.3, the refusal comes after the handshake.
        suppress(ssl.SSLError, ConnectionError),
    ):
        tls.sendall(invitation)
        assert tls.recv(1) == b""
    assert waiting.said == []


def test_a_worker_that_is_not_there_is_named(server: TinyServer, tmp_path: Path, key: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    load = traffic(server, tmp_path / "out", Elsewhere([("127.0.0.1", port)], key), shape=Constant(50))
    with pytest.raises(FiredampError, match=rf"the worker 127\.0\.0\.1:{port} cannot be reached: Connect"):
        load.__enter__()


def test_a_worker_with_another_load_generator_refuses(
    server: TinyServer, tmp_path: Path, key: Path, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = joining.Invitation

    def older(_: str, *others: str) -> joining.Invitation:
        return invitation("0000", *others)

    monkeypatch.setattr("loadgen.elsewhere.Invitation", older)
    load = traffic(server, tmp_path / "out", Elsewhere(waiting.addresses, key), shape=Constant(50))
    with pytest.raises(FiredampError, match="refuses: it has another state of Firedamp's load generator"):
        load.__enter__()
    assert waiting.said == []


def test_a_worker_sends_no_load_to_others_even_if_it_is_told_to(
    server: TinyServer, tmp_path: Path, key: Path, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = joining.Invitation

    def public(code: str, name: str, plan: str, *others: str) -> joining.Invitation:
        return invitation(code, name, plan.replace(server.url, "http://93.184.216.34:80"), *others)

    monkeypatch.setattr("loadgen.elsewhere.Invitation", public)
    load = traffic(server, tmp_path / "out", Elsewhere(waiting.addresses, key), shape=Constant(50))
    with pytest.raises(FiredampError, match=r"refuses: .*93\.184\.216\.34 is neither loopback nor private"):
        load.__enter__()
    assert waiting.said == []


def test_a_load_of_this_machine_is_not_sent_by_another_one(
    server: TinyServer, tmp_path: Path, key: Path
) -> None:
    load = traffic(server, tmp_path / "out", Elsewhere([("10.0.0.5", 5557)], key), shape=Constant(50))
    with pytest.raises(FiredampError, match=r"which is this machine, and the worker 10\.0\.0\.5:5557 is an"):
        load.__enter__()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_or_write_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(FiredampError, match="can be read or written by others"):
        Elsewhere([("127.0.0.1", 5557)], key)


def test_what_is_no_key_is_refused(tmp_path: Path, key: Path) -> None:
    with pytest.raises(FiredampError, match=r"load\.key' cannot be made: File exists"):
        make_key(key)
    empty = tmp_path / "empty"
    empty.touch(0o600)
    with pytest.raises(FiredampError, match="has no key with its certificate"):
        trusting_only(empty, is_server=True)
    with pytest.raises(FiredampError, match="No such file"):
        trusting_only(tmp_path / "missing", is_server=True)
