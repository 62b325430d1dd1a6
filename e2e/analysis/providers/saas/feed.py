"""Writes what Prometheus knows to InfluxDB and to Graphite each second, as an exporter would."""

from __future__ import annotations

import base64
import os
import socket
import sys
import time
import urllib.parse

from .observed import ask, success_rates

_SECONDS = 1.0
_INFLUXDB = os.environ["INFLUXDB_URL"]
_GRAPHITE = os.environ["GRAPHITE_HOST"]
_USER, _PASSWORD = "firedamp", os.environ["KEY"]
_DATABASE = "payments"


def forever() -> None:
    """Create InfluxDB's first user and its database, then write."""
    is_created = False
    while True:
        try:
            if not is_created:
                _create()
                is_created = True
            rates = success_rates()
            _to_influxdb(rates)
            _to_graphite(rates)
        except OSError as error:
            # The stores may be still coming up; what is missing then is seen by whoever asks them.
            print(f"feed: {error}", file=sys.stderr)
        time.sleep(_SECONDS)


def _create() -> None:
    # InfluxDB lets anybody create the first user, who is its administrator. Again it changes nothing.
    _ask(f"CREATE USER {_USER} WITH PASSWORD '{_PASSWORD}' WITH ALL PRIVILEGES", credentials=False)
    _ask(f"CREATE DATABASE {_DATABASE}", credentials=True)


def _ask(statement: str, *, credentials: bool) -> None:
    body = urllib.parse.urlencode({"q": statement}).encode()
    _post(f"{_INFLUXDB}/query", body, credentials=credentials)


def _to_influxdb(rates: dict[tuple[str, str], float]) -> None:
    lines = [
        f"success_rate,namespace={namespace},hash={pod_hash} value={rate}\n"
        for (namespace, pod_hash), rate in rates.items()
        if pod_hash
    ]
    if lines:
        _post(f"{_INFLUXDB}/write?db={_DATABASE}", "".join(lines).encode(), credentials=True)


def _to_graphite(rates: dict[tuple[str, str], float]) -> None:
    lines = [
        f"payments.{namespace}.{pod_hash}.success_rate {rate} {int(time.time())}\n"
        for (namespace, pod_hash), rate in rates.items()
        if pod_hash
    ]
    with socket.create_connection((_GRAPHITE, 2003), timeout=5) as connection:
        connection.sendall("".join(lines).encode())


def _post(url: str, body: bytes, *, credentials: bool) -> None:
    token = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
    with ask(url, body, {"Authorization": f"Basic {token}"} if credentials else {}):
        pass
