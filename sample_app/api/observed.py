"""What every response has in common: version and pod in its headers, and a place in the metrics."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics


class Observed:
    """ASGI middleware around the whole application, so that error responses carry the headers too.

    Plain ASGI: Starlette's BaseHTTPMiddleware costs a task and a queue per request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        version: str,
        pod: str,
        metrics: Metrics,
        draining: Callable[[], bool],
    ) -> None:
        self._app = app
        self._headers = [(b"x-version", version.encode()), (b"x-pod", pod.encode())]
        self._metrics = metrics
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *self._headers]
                if self._draining():
                    # Proxies then take this connection out of their pool, instead
                    # of sending a request into it while it is being closed.
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._metrics.record(scope["method"], scope["path"], status, perf_counter() - started)
