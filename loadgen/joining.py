"""What a harness and a worker on another machine say to each other before they pass on what Locust says.

The harness connects, says what the load is, and hears whether the worker takes part. From then on, the
connection carries the bytes between Locust's worker there and Locust's master here, as they are.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

LONGEST_LINE = 4 << 20
"""The most bytes of a line: a plan has the bodies of its requests."""
HANDSHAKE_S = 10.0
_PART_BYTES = 65_536


class Invitation(msgspec.Struct, frozen=True):
    """What a harness says first.

    Attributes:
        code: Which load generator it has; see `code`.
        name: What the worker is called in this load: the address at which the harness has reached it.
        plan: The plan of the load, as JSON.
        token: The secret of this load.
        boot: Names the kernel whose clock is meant in the plan.
    """

    code: str
    name: str
    plan: str
    token: str
    boot: str


class Reply(msgspec.Struct, frozen=True):
    """What a worker answers.

    Attributes:
        refusal: Why it does not take part; "" if it does.
    """

    refusal: str = ""


class Connection(NamedTuple):
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        """Close both."""
        self.writer.close()


async def relay(one: Connection, other: Connection) -> None:
    """Pass on what comes from each to the other until one of them ends, and close both."""
    pumps = [asyncio.create_task(_pump(*each)) for each in ((one, other), (other, one))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        one.close()
        other.close()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: Connection, target: Connection) -> None:
    with suppress(OSError):
        while data := await source.reader.read(_PART_BYTES):
            target.writer.write(data)
            await target.writer.drain()


@cache
def code() -> str:
    """Return what is the same on machines with the same load generator and the same Locust."""
    digest = hashlib.sha256(version("locust").encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if not file.name.endswith("_test.py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
