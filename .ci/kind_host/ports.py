"""Published ports: on the host's loopback, relayed into the network namespace of dockerd."""

from __future__ import annotations

import asyncio
import contextlib

from fixtures.core.errors import FiredampError
from fixtures.providers.native.relay import Relays


class Server:
    """Opens ports for `port.py`, which dockerd starts in place of its docker-proxy."""

    def __init__(self, pid: int) -> None:
        """Take a process in the network namespace of dockerd."""
        self._pid = pid

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open the port that is asked for, and keep it open as long as the connection stands."""
        arguments = (await reader.readline()).decode().split()
        relays = Relays(self._pid)
        with contextlib.closing(writer):
            try:
                await _open(relays, dict(zip(arguments[::2], arguments[1::2], strict=True)))
                writer.write(b"\n")
                await reader.read()
            except FiredampError as error:
                writer.write(" ".join(str(error).split()).encode() + b"\n")
            finally:
                await relays.close()


async def _open(relays: Relays, arguments: dict[str, str]) -> None:
    """Do what docker-proxy is asked for, but on loopback alone, whatever address a user gave."""
    if arguments["-proto"] != "tcp":
        raise FiredampError(f"ports of {arguments['-proto']} cannot be published here")
    # Of a port on all addresses dockerd asks once for IPv4 and once for IPv6.
    if ":" not in arguments["-host-ip"]:
        target = arguments["-container-ip"], int(arguments["-container-port"])
        await relays.to_node(*target, listen=int(arguments["-host-port"]))
