"""The HTTP client of one simulated user: one connection, no retries, no memory.

Runs in Locust's process only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from geventhttpclient.client import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPResponse

from loadgen.ledger import Answer
from loadgen.plan import Call


class OneConnection(ConnectionPool):
    """A user's only connection, which says whether it was reused, and is not tried twice.

    geventhttpclient silently sends an idempotent request again when the server
    closes the connection without an answer (`HTTPClient.request`). That would
    hide exactly what this harness looks for, so the second try is refused here.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, host, port, size=1, connection_timeout=timeout, network_timeout=timeout)
        self.reused = False
        self._tried = False

    def begin(self) -> None:
        """Allow one try for a new request."""
        self._tried = False
        self.reused = False

    def get_socket(self) -> Any:  # noqa: ANN401 - gevent's socket class depends on the platform
        """Return the open connection, or a new one."""
        if self._tried:
            raise HTTPConnectionClosed("connection closed without an answer")
        self._tried = True
        self.reused = True
        return super().get_socket()

    def _create_socket(self) -> Any:  # noqa: ANN401
        self.reused = False
        return super()._create_socket()


class OneConnectionClient(HTTPClient):
    """An HTTP client of one connection, to one address, which follows no redirect and keeps no cookie."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, connection_timeout=timeout, network_timeout=timeout)
        self._connection = self._connection_pool = OneConnection(host, port, timeout)

    @property
    def reused(self) -> bool:
        """Whether the last request was sent by the connection of the one before."""
        return self._connection.reused

    def answer(self, call: Call) -> Answer:
        """Send a request and return what came of it."""
        self._connection.begin()
        got: Answer | None = None
        try:
            response = self.request(call.method, call.path, call.body, call.headers)
            got = Answer(response.status_code, _header(response, "x-version"), _header(response, "x-pod"))
            response.read()
        except (OSError, HTTPParseError) as error:
            return replace(got or Answer(), error=_why(error))
        return got


def _header(response: HTTPResponse, name: str) -> str | None:
    value = response.get(name)
    return ", ".join(value) if isinstance(value, list) else value


def _why(error: Exception) -> str:
    """Return what happened in the fewest words, without the address, so that equal errors count together."""
    if isinstance(error, TimeoutError):
        return "timed out"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
