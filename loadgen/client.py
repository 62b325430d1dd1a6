"""The HTTP client of one simulated user: one connection, no retries, no memory.

Runs in Locust's process only. Each microsecond of it is spent some 280,000
times in a run of the suite, so that a request is bytes that were made before,
and only the parser is a library's. Nor would a library's client do: those send
a request silently again when the server closes the connection without an answer
(https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2), which is just what this
harness looks for.
"""

from __future__ import annotations

import select
import socket
from dataclasses import replace

import gevent.socket
from gevent import monkey
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPResponse, HTTPSocketResponse

from loadgen.ledger import Answer
from loadgen.message import Message

# Asked not to wait, so that it need not be gevent's. `select` would refuse descriptors from 1,024 on.
_poll = monkey.get_original("select", "poll")


class Client:
    """A user's connection, made when it is first used and again when the server has closed it."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        """Have no connection yet; `timeout` is that of connecting and of each read, in seconds."""
        self.reused = False
        self._address = address
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def answer(self, message: Message) -> Answer:
        """Send a request and return what came of it."""
        got: Answer | None = None
        try:
            connection = self._connection()
            _send(connection, message.data)
            # Closes the connection where it cannot be used again.
            response = HTTPSocketResponse(connection, method=message.method)
            got = Answer(response.status_code, _header(response, "x-version"), _header(response, "x-pod"))
            response.read()
        except (OSError, HTTPParseError) as error:
            self._close()
            got = replace(got or Answer(), error=_why(error))
        return got

    def _connection(self) -> socket.socket:
        self.reused = self._socket is not None and _is_open(self._socket)
        if self._socket is None or not self.reused:
            self._close()
            self._socket = gevent.socket.create_connection(self._address, self._timeout)
        return self._socket

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _is_open(connection: socket.socket) -> bool:
    """Whether the server has neither closed it nor sent what nobody asked for."""
    if connection.fileno() < 0:
        return False
    poll = _poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


def _send(connection: socket.socket, data: bytes) -> None:
    """As `sendall`, which takes gevent twice as long."""
    sent = connection.send(data)
    if sent < len(data):
        connection.sendall(data[sent:])


def _header(response: HTTPResponse, name: str) -> str | None:
    value = response.get(name)
    return ", ".join(value) if isinstance(value, list) else value


def _why(error: Exception) -> str:
    """Return what happened in the fewest words, without the address, so that equal errors count together."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, HTTPConnectionClosed):
        return "connection closed without an answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
