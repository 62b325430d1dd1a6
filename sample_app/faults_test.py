"""Tests of faults that need no running server."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from sample_app.api.faults import RateLimit, gate
from sample_app.api.ledger import CAPACITY, LaggingLedger, Ledger, LedgerError

_PAGE = 4096


def outcomes(fault: dict[str, object], requests: int, path: str = "/payments") -> list[bool]:
    """Whether each of so many requests, one after the other, is answered 500."""

    async def ask() -> list[bool]:
        check = gate(fault)
        return [await check(path) is not None for _ in range(requests)]

    return asyncio.run(ask())


def test_errors_come_at_their_rate() -> None:
    # Binomial(4000, 0.2): 5 standard deviations are 127.
    assert sum(outcomes({"kind": "errors", "rate": 0.2}, 4000)) == pytest.approx(800, abs=127)
    assert all(outcomes({"kind": "errors", "rate": 1.0}, 1000))


@pytest.mark.parametrize(
    ("path", "fails"),
    [("/orders", True), ("/orders/7", True), ("/orders-old", False), ("/", False), ("/a/orders", False)],
)
def test_a_fault_of_one_path_spares_the_others(path: str, *, fails: bool) -> None:
    fault: dict[str, object] = {"kind": "errors", "rate": 1.0, "path": "/orders"}
    assert outcomes(fault, 3, path) == [fails] * 3


def test_requests_to_other_paths_do_not_count() -> None:
    async def ask() -> list[bool]:
        check = gate({"kind": "firstfails", "path": "/orders"})
        return [await check(path) is not None for path in ("/", "/items", "/orders", "/orders")]

    assert asyncio.run(ask()) == [False, False, True, False]


def test_only_the_first_request_of_a_process_fails() -> None:
    assert outcomes({"kind": "firstfails"}, 4) == [True, False, False, False]


def test_overload_spares_the_requests_within_the_limit() -> None:
    assert outcomes({"kind": "overload", "per_second": 5}, 8) == [False] * 5 + [True] * 3


def test_overload_lasts_until_the_load_falls() -> None:
    now = 0.0
    limit = RateLimit(10, clock=lambda: now)

    def refused(interval: float, requests: int) -> int:
        nonlocal now
        count = 0
        for _ in range(requests):
            now += interval
            count += limit.exceeded()
        return count

    assert refused(interval=1 / 9, requests=90) == 0
    refused(interval=1 / 50, requests=50)
    assert refused(interval=1 / 50, requests=100) == 100
    now += 1.0
    assert refused(interval=1 / 9, requests=90) == 0


def test_a_leak_keeps_resident_memory_for_each_request() -> None:
    # In a process of its own: one that ran other tests may hold memory enough that nobody uses.
    program = "from sample_app import faults_test; print(faults_test.grown_by_16_mib())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 12 * 1024 * 1024


def grown_by_16_mib() -> int:
    """How many bytes more are resident after 16 requests that leak 1 MiB each."""

    async def grown() -> int:
        check = gate({"kind": "leak", "kib": 1024})
        before = resident()
        for _ in range(16):
            await check("/payments")
        return resident() - before

    return asyncio.run(grown())


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def test_a_ledger_gives_back_the_newest_and_forgets_the_oldest() -> None:
    ledger = Ledger()
    payments = [ledger.add(amount, "EUR", "Ada") for amount in range(1, CAPACITY + 2)]
    assert ledger.latest(2) == [payments[-1], payments[-2]]
    assert ledger.latest(CAPACITY * 2)[-1] == payments[1]


def test_the_check_leaves_no_trace() -> None:
    ledger = Ledger()
    payment = ledger.add(1, "EUR", "Ada")
    ledger.check()
    assert ledger.latest(10) == [payment]


def test_the_check_finds_a_ledger_that_does_not_give_back_what_was_written() -> None:
    ledger = LaggingLedger()
    for _ in itertools.repeat(None, 2):
        with pytest.raises(LedgerError, match="cannot be read back"):
            ledger.check()
    payment = ledger.add(1, "EUR", "Ada")
    assert ledger.latest(10) == [payment]
