"""The ledger: payments in memory, and the check behind /healthz."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from itertools import islice
from typing import TypedDict

CAPACITY = 1000
_PROBE = "healthz"


class Payment(TypedDict):
    """One payment; `amount` in the currency's minor unit, `created` in seconds since the epoch."""

    id: str
    amount: int
    currency: str
    payee: str
    created: float


class LedgerError(Exception):
    """The ledger does not give back what was written to it."""


class Ledger:
    """The newest `CAPACITY` payments; older ones are dropped, so that a long run does not grow."""

    def __init__(self) -> None:
        self._payments: OrderedDict[str, Payment] = OrderedDict()

    def add(self, amount: int, currency: str, payee: str) -> Payment:
        """Write a new payment and return it with its id."""
        payment = self._write(os.urandom(8).hex(), amount, currency, payee)
        if len(self._payments) > CAPACITY:
            self._payments.popitem(last=False)
        return payment

    def latest(self, limit: int) -> list[Payment]:
        """Return up to `limit` payments, newest first."""
        return list(islice(reversed(self._payments.values()), limit))

    def check(self) -> None:
        """Write a probe, read it back, and take it out again.

        Raises:
            LedgerError: What was read is not what was written.
        """
        written = self._write(_PROBE, 0, "XXX", _PROBE)
        read = self._read(_PROBE)
        del self._payments[_PROBE]
        if read != written:
            raise LedgerError("a payment just written cannot be read back")

    def _write(self, payment_id: str, amount: int, currency: str, payee: str) -> Payment:
        payment = Payment(id=payment_id, amount=amount, currency=currency, payee=payee, created=time.time())
        self._payments[payment_id] = payment
        return payment

    def _read(self, payment_id: str) -> Payment | None:
        return self._payments.get(payment_id)


class LaggingLedger(Ledger):
    """A ledger that reads by id from a replica which never catches up: it works, and is not ready."""

    def _read(self, payment_id: str) -> Payment | None:  # noqa: ARG002 - the replica holds nothing
        return None
