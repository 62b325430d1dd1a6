"""Reads HTTP/1.1 or HTTP/2 from a connection, whichever the client speaks.

HTTP/2 comes without TLS and without an upgrade ("prior knowledge"), as proxies and gRPC use it:
https://www.rfc-editor.org/rfc/rfc9113.html#name-starting-http-2-with-prior-
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    import uvicorn

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class EitherProtocol(asyncio.Protocol):
    """Looks at the first bytes of a connection, and leaves it to the protocol that they are of.

    A request costs no more than with uvicorn's own protocol, because that one has the connection by then.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config, self._state, self._app_state, self._loop = config, server_state, app_state, _loop
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = cast("asyncio.Transport", transport)
        # uvicorn knows its own protocols only, but calls nothing else than `shutdown`.
        self._state.connections.add(self)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget a connection on which nobody has asked anything."""
        self._state.connections.discard(self)

    def shutdown(self) -> None:
        """Close a connection on which nobody has asked anything."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Choose the protocol as soon as the bytes tell it."""
        self._first += data
        if len(self._first) < len(PREFACE) and PREFACE.startswith(self._first):
            return
        self._state.connections.discard(self)
        chosen = self._http2() if self._first.startswith(PREFACE) else self._http1()
        self._transport.set_protocol(chosen)
        chosen.connection_made(self._transport)
        chosen.data_received(self._first)

    def _http1(self) -> asyncio.Protocol:
        return HttpToolsProtocol(self._config, self._state, self._app_state, self._loop)

    def _http2(self) -> asyncio.Protocol:
        # Most apps speak HTTP/1.1 only, and start without it.
        from .http2 import Http2Protocol  # noqa: PLC0415

        return Http2Protocol(self._config, self._state)
