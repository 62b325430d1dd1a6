from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kind_host import port

ARGUMENTS = ["-proto", "tcp", "-host-ip", "127.0.0.1", "-host-port", "80"]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ports.sock"))
        listener.listen()
        listener.settimeout(5)
        yield listener


@pytest.fixture
def started(tmp_path: Path, keeper: socket.socket) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """It, as dockerd runs it with a file as descriptor 3, and its connection to the keeper."""
    script = f'exec "$@" 3> {tmp_path / "status"}'
    command = [sys.executable, "-IS", port.__file__, tmp_path / "ports.sock", *ARGUMENTS]
    process = subprocess.Popen(["sh", "-c", script, "-", *map(str, command)], stderr=subprocess.PIPE)
    connection, _ = keeper.accept()
    with connection, process:
        yield process, connection
        process.kill()


def test_it_stays_as_long_as_dockerd_wants_the_port(
    started: tuple[subprocess.Popen[bytes], socket.socket], tmp_path: Path
) -> None:
    process, connection = started
    assert connection.recv(1024).decode() == " ".join(ARGUMENTS) + "\n"
    connection.sendall(b"\n")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    assert (tmp_path / "status").read_text() == "0\n"
    process.send_signal(signal.SIGINT)
    # Without a word in dockerd's log.
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == -signal.SIGINT
    assert connection.recv(1) == b""


def test_it_ends_with_the_keeper(started: tuple[subprocess.Popen[bytes], socket.socket]) -> None:
    process, connection = started
    assert connection.recv(1024)
    connection.sendall(b"\n")
    connection.shutdown(socket.SHUT_RDWR)
    assert process.wait(30) == 0


def test_dockerd_is_told_why_a_port_cannot_be_had(
    started: tuple[subprocess.Popen[bytes], socket.socket], tmp_path: Path
) -> None:
    process, connection = started
    connection.sendall(b"port 80 is taken\n")
    assert process.wait(30) == 0
    assert (tmp_path / "status").read_text() == "1\nport 80 is taken"
