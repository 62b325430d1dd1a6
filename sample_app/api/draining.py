"""uvicorn as a pod needs it: its settings, and the drain at its end."""

from __future__ import annotations

import asyncio
import time
from types import FrameType
from typing import Literal

import uvicorn
from starlette.types import ASGIApp


def configured(
    app: ASGIApp,
    *,
    host: str,
    port: int = 0,
    http: type[asyncio.Protocol] | Literal["httptools"] = "httptools",
) -> uvicorn.Config:
    """The settings of uvicorn for an application.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port to listen on; of no effect if the server gets its sockets.
        http: What reads requests from a connection.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        # Of all that a trial runs, the app takes most of the processor; these take half of what the
        # defaults in Python take for a request.
        loop="uvloop",
        http=http,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # A proxy reuses idle connections; if this end closes them first, requests
        # are lost on the way. Envoy's own limit is an hour.
        # https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
        timeout_keep_alive=3660,
        timeout_graceful_shutdown=5,
    )


class Drain:
    """Whether this process was asked to end, and whether it has lingered long enough since."""

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self._asked_at: float | None = None

    def ask(self) -> None:
        """Begin; when asked once more, do not linger."""
        self._linger = 0 if self.asked() else self._linger
        self._asked_at = time.monotonic()

    def asked(self) -> bool:
        """Whether readiness is over."""
        return self._asked_at is not None

    def over(self) -> bool:
        """Whether the port may be closed."""
        return self._asked_at is not None and time.monotonic() >= self._asked_at + self._linger


class DrainingServer(uvicorn.Server):
    """Ends in order: not ready, still serving for a while, port closed, in-flight requests done, exit 0.

    uvicorn alone closes the port at the signal, before anybody knows, and
    raises the signal again at the end, so that the exit code is not 0.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin the drain instead of ending at once."""
        self._drain.ask()

    async def on_tick(self, counter: int) -> bool:
        """Tell uvicorn, every 0.1 s, whether to shut down."""
        return self._drain.over() or await super().on_tick(counter)
