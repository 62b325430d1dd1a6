"""The HTTP client of one simulated user: one connection, no retries, no memory.

Runs in Locust's process only.
"""

from __future__ import annotations

from typing import Any

from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPConnectionClosed


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
    """An HTTP client of one connection, `connection`, to one address."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, connection_timeout=timeout, network_timeout=timeout)
        self.connection = self._connection_pool = OneConnection(host, port, timeout)


class OneClient(HTTPClientPool):
    """What Locust's `client_pool` wants, for the one address that a run may load."""

    def __init__(self, client: OneConnectionClient) -> None:
        super().__init__()
        self.client = client

    def get_client(self, url: Any) -> HTTPClient:  # noqa: ANN401 - str or geventhttpclient's URL
        """Return the client; there is no other address."""
        del url
        return self.client

    def close(self) -> None:
        """Close the connection."""
        self.client.close()
