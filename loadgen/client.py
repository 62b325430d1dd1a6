"""The HTTP client of one simulated user: it has one connection, and no retries, cookies or cache.

It runs in Locust's process only. It sends some 280,000 requests in a run of the suite, so each microsecond
counts: the bytes of a request are prepared before the load begins, and only the parser comes from a library.
An HTTP client from a library could not be used anyway. When the server closes the connection without an
answer, such clients send the request again without notice
(https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2), and would hide just the failures that this harness
looks for.
"""

from __future__ import annotations

import select
import socket
import time

import gevent
import gevent.socket
from gevent import monkey

from loadgen.answering import Reading, UnreadableError
from loadgen.ledger import Answer
from loadgen.message import Message

_PART_BYTES = 16_384
# While there is something to read, gevent's sockets do not let other greenlets run. So after this many reads
# in a row, the client lets them run.
_PARTS_IN_A_ROW = 16
# The original `poll` of the operating system can be used, because it is called without waiting. `select` does
# not accept descriptors from 1,024 on.
_poll = monkey.get_original("select", "poll")


class Client:
    """A client with one connection, which is opened at its first use, and again when it cannot be reused.

    Attributes:
        reused: Whether the last request used a connection that an earlier request had opened.
    """

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        """Prepare a client; no connection is opened yet.

        Args:
            address: Host and port.
            timeout: Seconds that a request may take, from connecting to the end of its answer.
        """
        self.reused = False
        self._address = address
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def answer(self, message: Message) -> Answer:
        """Send a request and return its final answer; an incomplete answer has an error."""
        reading, error = Reading(message.method), None
        try:
            self._exchange(message.data, reading, time.monotonic() + self._timeout)
        except (OSError, UnreadableError) as caught:
            error = _why(caught)
        finally:
            # This also happens when the greenlet is stopped while it waits.
            if not reading.is_reusable:
                self.close()
        return reading.answer(error)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, data: bytes, reading: Reading, deadline: float) -> None:
        connection = self._connection(deadline)
        _send(connection, data, deadline)
        parts = 0
        while not reading.is_complete:
            connection.settimeout(_left(deadline))
            part = connection.recv(_PART_BYTES)
            if part:
                reading.feed(part)
            else:
                reading.end()
            parts += 1
            if parts % _PARTS_IN_A_ROW == 0:
                gevent.sleep(0)

    def _connection(self, deadline: float) -> socket.socket:
        self.reused = self._socket is not None and _is_open(self._socket)
        if self._socket is None or not self.reused:
            self.close()
            self._socket = gevent.socket.create_connection(self._address, _left(deadline))
        return self._socket


def _left(deadline: float) -> float:
    """Seconds until a deadline. Raises TimeoutError when there are none left."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_open(connection: socket.socket) -> bool:
    """Whether the server has neither closed the connection nor sent anything without a request."""
    if connection.fileno() < 0:
        return False
    poll = _poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send all bytes before the deadline. gevent's `sendall` takes twice as long."""
    while data:
        connection.settimeout(_left(deadline))
        data = data[connection.send(data) :]


def _why(error: Exception) -> str:
    """Return what happened in the fewest words, without the address, so that equal errors count together."""
    if isinstance(error, TimeoutError):
        return "timed out"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
