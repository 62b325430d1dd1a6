"""A server that says what a test wants it to say, on a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

HEALTHY = b"HTTP/1.1 200 OK\r\nx-version: healthy\r\nx-pod: pod-1\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Script:
    """What the server does with one request.

    Attributes:
        parts: What it sends, each in a segment of its own.
        pause: Seconds before each part but the first.
        closes: Whether it closes the connection afterwards.
        resets: Whether it does so with a TCP reset.
    """

    parts: Sequence[bytes] = (HEALTHY,)
    pause: float = 0.0
    closes: bool = False
    resets: bool = False


class HostileServer:
    """Answers each request by the script of its path: `/17` by the seventeenth, and others well."""

    def __init__(self, script_of: Callable[[int], Script]) -> None:
        self._script_of = script_of
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.connections = 0
        self._closed = threading.Condition()
        self._closed_after: set[int] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            connection.close()

    def wait_closed(self, number: int) -> None:
        """Wait until the connection is closed on which the request of this number came."""
        with self._closed:
            assert self._closed.wait_for(lambda: number in self._closed_after, timeout=30)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        numbers = set()
        try:
            while head := _request(connection):
                path = head.split(b" ")[1][1:]
                if path.isdigit():
                    numbers.add(int(path))
                script = self._script_of(int(path)) if path.isdigit() else Script()
                self._play(connection, script)
                if script.closes or script.resets:
                    return
        except OSError:
            return
        finally:
            self._open.discard(connection)
            connection.close()
            with self._closed:
                self._closed_after |= numbers
                self._closed.notify_all()

    def _play(self, connection: socket.socket, script: Script) -> None:
        for place, part in enumerate(script.parts):
            if place and script.pause:
                # A server that dawdles is what is tested.
                time.sleep(script.pause)
            connection.sendall(part)
        if script.resets:
            # https://man7.org/linux/man-pages/man7/socket.7.html: closed with SO_LINGER and 0 s, it resets.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _request(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received:
            return b""
        head += received
    return head
