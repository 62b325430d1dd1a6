"""Writes success rates from Prometheus to InfluxDB and to Graphite each second, as an exporter would."""

from __future__ import annotations

import base64
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
from collections.abc import Callable

from .observed import ask, success_rates

_SECONDS = 1.0
_URL = os.environ["INFLUXDB_URL"]
_GRAPHITE = os.environ["GRAPHITE_HOST"]
_USER, _PASSWORD = "firedamp", os.environ["KEY"]
_DATABASE = "payments"

Rates = dict[tuple[str, str], float]


def forever(has_written: threading.Event) -> None:
    """Create InfluxDB's first user and database; write to both servers; set `has_written` once it works."""
    to_influxdb = _InfluxDB()
    while True:
        written = [_possible(write) for write in (to_influxdb, _to_graphite)]
        if all(written):
            has_written.set()
        # Prometheus has nothing new before its next scrape, a second later.
        time.sleep(_SECONDS)


def _possible(write: Callable[[Rates], None]) -> bool:
    try:
        write(success_rates())
    except OSError as error:
        # The servers may still be starting. If data is missing later, the test that queries them fails.
        print(f"feed: {error}", file=sys.stderr)
        return False
    return True


class _InfluxDB:
    def __init__(self) -> None:
        self._is_created = False

    def __call__(self, rates: Rates) -> None:
        if not self._is_created:
            _create()
            self._is_created = True
        lines = [
            f"success_rate,namespace={namespace},hash={pod_hash} value={rate}\n"
            for (namespace, pod_hash), rate in rates.items()
            if pod_hash
        ]
        if lines:
            _post(f"{_URL}/write?db={_DATABASE}", "".join(lines).encode(), credentials=True)


def _to_graphite(rates: Rates) -> None:
    lines = [
        f"payments.{namespace}.{pod_hash}.success_rate {rate} {int(time.time())}\n"
        for (namespace, pod_hash), rate in rates.items()
        if pod_hash
    ]
    with socket.create_connection((_GRAPHITE, 2003), timeout=5) as connection:
        connection.sendall("".join(lines).encode())


def _create() -> None:
    try:
        _ask(f"CREATE DATABASE {_DATABASE}", credentials=True)
    except urllib.error.HTTPError:
        # Without a user, InfluxDB allows nothing but to create the first one, who is its administrator.
        _ask(f"CREATE USER {_USER} WITH PASSWORD '{_PASSWORD}' WITH ALL PRIVILEGES", credentials=False)
        _ask(f"CREATE DATABASE {_DATABASE}", credentials=True)


def _ask(statement: str, *, credentials: bool) -> None:
    body = urllib.parse.urlencode({"q": statement}).encode()
    _post(f"{_URL}/query", body, credentials=credentials)


def _post(url: str, body: bytes, *, credentials: bool) -> None:
    token = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
    with ask(url, body, {"Authorization": f"Basic {token}"} if credentials else {}):
        pass
