from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from loadgen import report


class TinyServer:
    """An HTTP server on loopback: /drop, /short, /endless, /fail and /moved do what they say."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def stall(self) -> None:
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def go_on(self) -> None:
        self._loop.call_soon_threadsafe(self._flowing.set)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _cancel(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A closed connection gives its socket back in the loop's next round.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                request, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append((request, headers))
                await self._flowing.wait()
                if not await self._answer(request, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, request: str, writer: asyncio.StreamWriter) -> bool:
        path = request.split()[1]
        status = {"/fail": "500 Oh no", "/moved": "302 Found"}.get(path, "200 OK")
        length = 100 if path == "/short" else 2
        if path not in {"/drop", "/endless"}:
            head = f"HTTP/1.1 {status}\r\nx-version: 1.0\r\nx-pod: pod-1\r\ncontent-length: {length}\r\n"
            also = "set-cookie: stay=here\r\nlocation: /payments\r\n\r\n"
            writer.write((head + also).encode() + b"ok")
            await writer.drain()
        while path == "/endless":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await asyncio.sleep(0.1)  # it answers for ever, but not as fast as it can
        return path not in {"/drop", "/short"}


@pytest.fixture
def server() -> Iterator[TinyServer]:
    tiny = TinyServer()
    tiny.start()
    yield tiny
    tiny.stop()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a machine that is short of CPU no reason to refuse a load; tests of a limit set it themselves."""
    monkeypatch.setattr(report, "MOST_CPU", 2.0)
    monkeypatch.setattr(report, "SILENCE_S", 30.0)
    monkeypatch.setattr(report, "_STALL_S", (30.0, 30.0))
