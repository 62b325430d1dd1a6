"""What a broken version does to a payment request before the ledger sees it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .release import LEDGER_URL
from .remote import RemoteLedger

Gate = Callable[[str], Awaitable[str | None]]
"""Called with the path of each payment request; the text that it returns is the reason of a 500."""

_Check = Callable[[], Awaitable[str | None]]


def gate(fault: Mapping[str, Any]) -> Gate:
    """Return what this fault does to each payment request, or to those of its path and below.

    Raises:
        KeyError: Unknown kind of fault, or its parameter is missing.
    """
    check: _Check = _CHECKS[fault["kind"]](fault)
    only: str = fault.get("path", "")

    async def at(path: str) -> str | None:
        is_meant = not only or path == only or path.startswith(f"{only}/")
        return await check() if is_meant else None

    return at


class RateLimit:
    """True for each request that is more than the `per_second`-th within one second.

    Refused requests count too, as they do where a backlog is what breaks: it
    recovers only once the load falls.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._arrivals: deque[float] = deque()

    def exceeded(self) -> bool:
        """Count one request and tell whether it is one too many."""
        now = self._clock()
        while self._arrivals and self._arrivals[0] <= now - 1.0:
            self._arrivals.popleft()
        self._arrivals.append(now)
        return len(self._arrivals) > self._per_second


def _harmless(_fault: Mapping[str, Any]) -> _Check:
    async def check() -> None:
        return None

    return check


def _errors(fault: Mapping[str, Any]) -> _Check:
    rate: float = fault["rate"]

    async def check() -> str | None:
        return "posting to the ledger failed" if random.random() < rate else None  # noqa: S311

    return check


def _slow(fault: Mapping[str, Any]) -> _Check:
    delay = fault["ms"] / 1000

    async def check() -> None:
        await asyncio.sleep(delay)

    return check


def _first_fails(_fault: Mapping[str, Any]) -> _Check:
    connections: list[str] = []

    async def check() -> str | None:
        if connections:
            return None
        connections.append("ledger")
        return "the ledger connection was not open yet"

    return check


def _overload(fault: Mapping[str, Any]) -> _Check:
    limit = RateLimit(fault["per_second"])

    async def check() -> str | None:
        return "out of ledger connections" if limit.exceeded() else None

    return check


def _leak(fault: Mapping[str, Any]) -> _Check:
    size = int(fault["kib"] * 1024)
    audit_trail: list[bytes] = []

    async def check() -> None:
        # Not zeros: pages of zeros are not resident until they are written.
        audit_trail.append(b"\xff" * size)

    return check


def _ledger(fault: Mapping[str, Any]) -> _Check:
    return RemoteLedger(os.environ.get(LEDGER_URL, ""), int(fault["schema"])).problem


_CHECKS: dict[str, Callable[[Mapping[str, Any]], _Check]] = {
    "none": _harmless,
    "crash": _harmless,
    "neverready": _harmless,
    "errors": _errors,
    "slow": _slow,
    "firstfails": _first_fails,
    "overload": _overload,
    "leak": _leak,
    "ledger": _ledger,
}
