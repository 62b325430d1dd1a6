from __future__ import annotations

import fcntl
import resource
import socket
import time
from collections.abc import Iterator
from typing import Protocol

import gevent
import pytest

from loadgen.client import Client, _is_open
from loadgen.hostile_for_test import HEALTHY, HostileServer, Script
from loadgen.ledger import Answer
from loadgen.message import Message, to_message

# More than the descriptors that `select` can look at.
_HIGH = 1024
_TIMEOUT_S = 0.3
_OK = b"HTTP/1.1 200 OK\r\nx-version: 1.0\r\nx-pod: a\r\n"
_EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\nx-version: early\r\n\r\n"
_GOOD = Answer(200, "1.0", "a")


def get(path: str = "/", method: str = "GET") -> Message:
    return to_message(method, path, "payments.ns", {}, None)


class Ask(Protocol):
    def __call__(self, script: Script, method: str = "GET") -> tuple[Answer, Answer, int]: ...


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask a server that answers by a script, and then, by the same client, one that is healthy again.

    Returns the first answer, the second, and the number of connections that it took.
    """
    opened: list[Client] = []

    def answers_to(script: Script, method: str = "GET") -> tuple[Answer, Answer, int]:
        with HostileServer(lambda _: script) as server:
            client = Client(server.address, _TIMEOUT_S)
            opened.append(client)
            first = client.answer(get("/0", method))
            if script.closes or script.resets:
                server.wait_closed(0)
            second = client.answer(get("/healthy"))
            return first, second, server.connections

    yield answers_to
    for client in opened:
        client.close()


def body(framed: bytes) -> bytes:
    return _OK + framed


def chunks(framed: bytes) -> bytes:
    return _OK + b"transfer-encoding: chunked\r\n" + framed


@pytest.mark.parametrize(
    "answer",
    [
        body(b"content-length: 2\r\n\r\nok"),
        body(b"content-length: 0\r\n\r\n"),
        chunks(b"\r\n2\r\nok\r\n0\r\n\r\n"),
        chunks(b"\r\n0\r\nx-version: trailer\r\n\r\n"),
        _EARLY + body(b"content-length: 2\r\n\r\nok"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + _EARLY + body(b"content-length: 2\r\n\r\nok"),
    ],
)
def test_the_final_answer_counts_and_its_connection_is_used_again(answer: bytes, ask: Ask) -> None:
    for parts in ([answer], [bytes([byte]) for byte in answer]):
        first, second, connections = ask(Script(parts))
        assert first == _GOOD
        assert second == Answer(200, "healthy", "pod-1")
        assert connections == 1


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # Two answers in one segment, or what is not even one.
        (Script([body(b"content-length: 2\r\n\r\nok") + HEALTHY]), _GOOD),
        (Script([body(b"content-length: 2\r\n\r\nok") + b"HTTP/1.1 500 Oh\r\nx-version: other\r\n"]), _GOOD),
        (Script([body(b"content-length: 2\r\n\r\nok") + b"more"]), _GOOD),
        (Script([body(b"content-length: 2\r\n\r\nok") + b"H"]), _GOOD),
        # No length: it ends when the connection does.
        (Script([body(b"\r\nok")], closes=True), _GOOD),
        (Script([body(b"connection: close\r\ncontent-length: 2\r\n\r\nok")], closes=True), _GOOD),
        (Script([body(b"connection: close\r\ncontent-length: 2\r\n\r\nok")]), _GOOD),
        (Script([b"HTTP/1.0 200 OK\r\nx-version: 1.0\r\nx-pod: a\r\ncontent-length: 2\r\n\r\nok"]), _GOOD),
        # Empty names nobody.
        (Script([b"HTTP/1.1 200 OK\r\nx-version:\r\nx-pod: \r\n\r\n"], closes=True), Answer(200)),
    ],
)  # fmt: skip
def test_a_complete_answer_after_which_the_connection_is_of_no_use(
    script: Script, expected: Answer, ask: Ask
) -> None:
    first, second, connections = ask(script)
    assert first == expected
    assert second == Answer(200, "healthy", "pod-1")
    assert connections == 2


@pytest.mark.parametrize(
    ("script", "status", "version", "why"),
    [
        (Script([_EARLY + body(b"content-length: 5\r\n\r\nok")], closes=True), 200, "1.0", "closed within"),
        (Script([_EARLY], closes=True), 0, None, "closed within"),
        (Script([body(b"content-length: 5\r\n\r\nok")], closes=True), 200, "1.0", "closed within"),
        (Script([body(b"")], closes=True), 0, None, "closed within"),
        (Script([_OK[:9]], closes=True), 0, None, "closed within"),
        (Script([b""], closes=True), 0, None, "closed without an answer"),
        (Script([body(b"content-length: 5\r\n\r\nok")], resets=True), 200, "1.0", "reset"),
        (Script([chunks(b"\r\n2\r\nok\r\n")], closes=True), 200, "1.0", "closed within"),
        (Script([chunks(b"\r\nzz\r\nok\r\n")]), 200, "1.0", "chunk size"),
        (Script([chunks(b"content-length: 2\r\n\r\n0\r\n\r\n")]), 0, None, "Encoding"),
        (Script([body(b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n")]), 0, None, "Encoding"),
        (Script([body(b"transfer-encoding: gzip\r\n\r\nok")], closes=True), 0, None, "transfer encoding"),
        (Script([body(b"content-length: 2\r\ncontent-length: 3\r\n\r\nok")]), 0, None, "Content-Length"),
        (Script([body(b"content-length: -2\r\n\r\nok")]), 0, None, "Content-Length"),
        (Script([body(b"x-long: " + b"x" * 100_000 + b"\r\n\r\n")], closes=True), 0, None, "headers"),
        (Script([b"HTTP/1.1 101 Other\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"]), 0, None, "upgrade"),
        (Script([b"HTTP/1.1 099 No\r\ncontent-length: 0\r\n\r\n"]), 0, None, "status"),
        (Script([b"HTTP/1.1 1000 No\r\ncontent-length: 0\r\n\r\n"]), 0, None, "status"),
        (Script([b"SSH-2.0-OpenSSH_9.9\r\n"]), 0, None, "HTTP"),
        (Script([b"\x16\x03\x01\x02\x00\x01\x00"]), 0, None, "HTTP"),
        (Script([]), 0, None, "timed out"),
        (Script([body(b"content-length: 2\r\n\r\no")]), 200, "1.0", "timed out"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole_is_an_error_and_harms_none_that_follows(
    script: Script, status: int, version: str | None, why: str, ask: Ask
) -> None:
    first, second, connections = ask(script)
    assert (first.status, first.claimed) == (status, version)
    assert first.error
    assert why in first.error
    assert second == Answer(200, "healthy", "pod-1")
    assert connections == 2


@pytest.mark.parametrize(
    "parts",
    [
        [bytes([byte]) for byte in body(b"content-length: 2\r\n\r\nok")],
        [body(b"content-length: 1000\r\n\r\n"), *[b"x"] * 100],
        [chunks(b"\r\n"), *[b"1\r\nx\r\n"] * 100],
        [_EARLY] * 100,
    ],
)
def test_an_answer_that_trickles_has_the_time_of_one_request(parts: list[bytes], ask: Ask) -> None:
    # Each part comes in time, all of them together would take seconds.
    began = time.monotonic()
    first, second, _ = ask(Script(parts, pause=0.05))
    assert first.error == "timed out"
    assert second == Answer(200, "healthy", "pod-1")
    assert time.monotonic() - began < 4 * _TIMEOUT_S


class Flood:
    """A connection on which there is always something to read."""

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, data: bytes) -> int:
        self._answer = iter([body(b"\r\n")])
        return len(data)

    def recv(self, most: int) -> bytes:
        return next(self._answer, b"x" * most)

    def close(self) -> None:
        pass


def test_an_answer_that_floods_lets_others_run_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # gevent's sockets let nobody else run as long as there is something to read.
    turns: list[float] = []

    def take_turns() -> None:
        while True:
            turns.append(time.monotonic())
            gevent.sleep(0)

    monkeypatch.setattr(gevent.socket, "create_connection", lambda *_: Flood())
    other = gevent.spawn(take_turns)
    answer = Client(("127.0.0.1", 1), 0.05).answer(get())
    other.kill()
    assert answer == Answer(200, "1.0", "a", "timed out")
    assert len(turns) > 10


@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_by_its_nature_ends_with_its_headers(status: bytes, ask: Ask) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nx-version: 1.0\r\ncontent-length: 2\r\n\r\n"
    if status.startswith(b"204"):
        head = head.replace(b"content-length: 2\r\n", b"")
    first, second, connections = ask(Script([head]), method="HEAD" if status == b"200 OK" else "GET")
    assert first == Answer(int(status[:3]), "1.0")
    assert (second.claimed, connections) == ("healthy", 1)


def test_a_head_request_that_is_answered_with_a_body_ends_the_connection(ask: Ask) -> None:
    first, second, connections = ask(Script([body(b"content-length: 2\r\n\r\nok")]), method="HEAD")
    assert first == _GOOD
    assert (second.claimed, connections) == ("healthy", 2)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, of which the first has a high descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    low, theirs = socket.socketpair()
    mine = socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD, _HIGH))
    low.close()
    with mine, theirs:
        yield mine, theirs
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_is_open_until_one_of_its_ends_is_closed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    mine, theirs = ends
    assert _is_open(mine)
    theirs.close()
    assert not _is_open(mine)
    mine.close()
    assert not _is_open(mine)


def test_a_connection_with_an_answer_that_nobody_asked_for_is_not_used(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    mine, theirs = ends
    theirs.send(b"HTTP/1.1 408 Request Timeout")
    assert not _is_open(mine)
