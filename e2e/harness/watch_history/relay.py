"""A TCP relay on loopback that can cut its connections, hold their data back, or leave them half open."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_START_SECONDS = 10
_CHUNK = 65536


class FlakyRelay:
    """Relays connections to a port of loopback, in a thread of its own.

    Attributes:
        port: The port on which it listens.
    """

    port: int

    def __init__(self, target: int) -> None:
        """Prepare a relay to the port `target`."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="flaky-relay", daemon=True)
        self._connections: set[_Connection] = set()
        self._is_refusing = False

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._serve(), self._loop)
        self.port = starting.result(_START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection that is open."""
        self._for_each(_Connection.cut)

    def hold_back(self) -> None:
        """Pass on nothing that the server sends over the connections that are open, until `pass_on`."""
        self._for_each(_Connection.hold_back)

    def pass_on(self) -> None:
        """Pass on what was held back, and everything after it."""
        self._for_each(_Connection.pass_on)

    def refuse(self, is_refusing: bool) -> None:
        """Close new connections at once, or let them in again."""
        self._is_refusing = is_refusing

    def _for_each(self, action: Callable[[_Connection], None]) -> None:
        def act() -> None:
            for connection in list(self._connections):
                action(connection)

        self._loop.call_soon_threadsafe(act)

    async def _serve(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The loop closes the sockets of aborted transports in its next round.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, far_writer)
        self._connections.add(connection)
        # Cancelled at the end of the relay, which asyncio.streams would otherwise report as an error.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(connection.send(reader), connection.receive(far_reader))
        connection.cut()
        self._connections.discard(connection)


class _Connection:
    """A client's connection to the relay, and the relay's connection to the server."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._near, self._far = near, far
        self._flows = asyncio.Event()
        self._flows.set()

    async def send(self, reader: asyncio.StreamReader) -> None:
        """Pass on what the client sends."""
        await self._pump(reader, self._far)

    async def receive(self, reader: asyncio.StreamReader) -> None:
        """Pass on what the server sends, unless it is held back."""
        await self._pump(reader, self._near, self._flows)

    def hold_back(self) -> None:
        """Let nothing through to the client."""
        self._flows.clear()

    def pass_on(self) -> None:
        """Let everything through to the client."""
        self._flows.set()

    def cut(self) -> None:
        """Reset both ends."""
        self._flows.set()
        for end in (self._near, self._far):
            end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event | None = None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if flows:
                    await flows.wait()
                writer.write(data)
                await writer.drain()
        self.cut()
