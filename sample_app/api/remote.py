"""The ledger as a service that several versions share: another instance of this API."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 3.0
_MARK = re.compile(r"schema-(\d+)")


class RemoteLedger:
    """What one version does with the ledger at `url` before it answers a payment request.

    A version of schema 2 or more migrates the ledger at its first request: it
    writes a row of its own schema, which versions of a lower one cannot read.
    """

    def __init__(self, url: str, schema: int) -> None:
        self._url = urlsplit(url)
        self._schema = schema
        self._migrated = schema == 1

    async def problem(self) -> str | None:
        """Why the ledger is of no use to this version, or None."""
        if not self._url.hostname:
            return "there is no ledger: its URL is not set"
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._look()
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            return f"the ledger does not answer: {error or type(error).__name__}"

    async def _look(self) -> str | None:
        if not self._migrated:
            await self._call("POST", {"amount": 1, "currency": "XXX", "payee": f"schema-{self._schema}"})
            self._migrated = True
        rows = (await self._call("GET"))["payments"]
        schemas = [int(mark[1]) for row in rows for mark in [_MARK.fullmatch(row["payee"])] if mark]
        if any(schema > self._schema for schema in schemas):
            return f"the ledger has rows of schema {max(schemas)}, and this version reads {self._schema}"
        return None

    async def _call(self, method: str, order: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        body = json.dumps(order).encode() if order else b""
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port or 80)
        try:
            request = f"{method} /payments HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n"
            writer.write(f"{request}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.read()
        finally:
            writer.close()
        head, _, content = answer.decode().partition("\r\n\r\n")
        if not re.match(r"HTTP/1.1 20[01] ", head):
            raise ConnectionError(head.partition("\r\n")[0] or "no answer")
        return json.loads(content)
