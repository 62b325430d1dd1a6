"""The routes: list and create payments, health, metrics."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .faults import Gate, gate
from .ledger import LaggingLedger, Ledger, LedgerError
from .metrics import Metrics
from .observed import Observed
from .release import Release

MAX_BODY = 4096
MAX_AMOUNT = 1_000_000_00
MAX_LISTED = 100


def build(release: Release, *, pod: str, draining: Callable[[], bool]) -> ASGIApp:
    """Return the application of one version.

    Args:
        release: Version and fault.
        pod: What `x-pod` says.
        draining: Whether this process has been asked to end.
    """
    ledger = LaggingLedger() if release.fault["kind"] == "neverready" else Ledger()
    metrics = Metrics()
    endpoints = Endpoints(ledger, gate(release.fault), metrics, draining)
    routes = [
        Route("/payments", endpoints.payments, methods=["GET", "POST"]),
        Route("/healthz", endpoints.healthz),
        Route("/metrics", endpoints.metrics),
    ]
    app = Starlette(routes=routes, max_body_size=MAX_BODY)
    return Observed(app, version=release.version, pod=pod, metrics=metrics, draining=draining)


class Endpoints:
    """The handlers, over one ledger."""

    def __init__(self, ledger: Ledger, faulty: Gate, metrics: Metrics, draining: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._faulty = faulty
        self._metrics = metrics
        self._draining = draining

    async def payments(self, request: Request) -> Response:
        """GET lists the newest payments (`?limit=`, 20 unless told), POST creates one."""
        reason = await self._faulty(request.url.path)
        if reason:
            return _problem(500, reason)
        return await self._create(request) if request.method == "POST" else self._list(request)

    async def healthz(self, _request: Request) -> Response:
        """200 while payments can be written and read back and nobody asked this process to end."""
        if self._draining():
            return _problem(503, "draining")
        try:
            self._ledger.check()
        except LedgerError as error:
            return _problem(503, str(error))
        return JSONResponse({"status": "ready"})

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        return Response(self._metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _list(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "20")
        if not (re.fullmatch("[0-9]{1,3}", limit) and 1 <= int(limit) <= MAX_LISTED):
            return _problem(422, f"limit: a whole number from 1 to {MAX_LISTED}")
        return JSONResponse({"payments": self._ledger.latest(int(limit))})

    async def _create(self, request: Request) -> Response:
        try:
            order = await request.json()
        except (ValueError, RecursionError):  # the latter for [[[[…
            return _problem(400, "the body is not JSON")
        wrong = _what_is_wrong_with(order)
        if wrong:
            return _problem(422, wrong)
        return JSONResponse(self._ledger.add(order["amount"], order["currency"], order["payee"]), 201)


def _problem(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


def _what_is_wrong_with(order: object) -> str | None:
    if not isinstance(order, dict):
        return "the body is not an object"
    amount, currency, payee = order.get("amount"), order.get("currency"), order.get("payee")
    # JSON's true is an int to Python.
    if type(amount) is not int or not 1 <= amount <= MAX_AMOUNT:
        return f"amount: a whole number of minor units from 1 to {MAX_AMOUNT}"
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        return "currency: three capital letters (ISO 4217)"
    # A lone surrogate is a str to Python, but no response can be made of it.
    if not (isinstance(payee, str) and 1 <= len(payee.strip()) <= 64 and payee.isprintable()):
        return "payee: 1 to 64 printable characters"
    return None
