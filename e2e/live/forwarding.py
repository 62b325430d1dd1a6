"""A way to a port of this machine that can be cut, as a connection through a tunnel can."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Way:
    """Passes bytes on between its own port and another one.

    Attributes:
        port: Its own port on 127.0.0.1.
    """

    def __init__(self, listening: socket.socket, to: int) -> None:
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._to = to
        self._open: list[socket.socket] = []
        self._is_cut = False

    def cut(self) -> None:
        """End all connections, and refuse new ones until `mend`."""
        self._is_cut = True
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open = []

    def mend(self) -> None:
        """Accept connections again."""
        self._is_cut = False

    def accept(self) -> None:
        """Accept connections until the port is closed."""
        with contextlib.suppress(OSError):
            while True:
                theirs, _ = self._listening.accept()
                if self._is_cut:
                    theirs.close()
                    continue
                ours = socket.create_connection(("127.0.0.1", self._to))
                self._open += [theirs, ours]
                for pair in ((theirs, ours), (ours, theirs)):
                    threading.Thread(target=_pass, args=pair, daemon=True).start()


@contextmanager
def way_to(port: int) -> Iterator[Way]:
    """Listen on another port of 127.0.0.1 while the block runs, and pass everything on to this one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        way = Way(listening, port)
        threading.Thread(target=way.accept, daemon=True).start()
        try:
            yield way
        finally:
            way.cut()
            listening.shutdown(socket.SHUT_RDWR)


def _pass(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError), source, to:
        while data := source.recv(65536):
            to.sendall(data)
