"""Holds the records of a worker until the master has written them.

Records are sent in messages of a bounded size, and only so many of them are under way at a time. So neither a
slow master nor a slow network makes Locust's queues run full, where messages would be lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from loadgen.messages import Lines

MOST_BYTES = 256 << 10
"""The most that a message has, unless a single record is larger."""
MOST_UNDER_WAY = 64
"""How many messages may be under way: 16 MiB at most."""


class Outbox:
    """The records of all streams of a worker that the master has not written yet."""

    def __init__(self, send: Callable[[Lines], object]) -> None:
        """Take what sends a message."""
        self._send = send
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._sent = 0
        self._known = 0

    def of(self, stream: str) -> StreamOutlet:
        """Return the outlet of a stream."""
        return StreamOutlet(self, stream)

    def put(self, stream: str, data: bytes) -> None:
        """Take whole lines of a stream, and send what may be sent."""
        self._waiting.extend((stream, part) for part in _parts(data))
        self._go_on()

    def known(self, number: int) -> None:
        """Note that the master has written all messages up to this one."""
        self._known = max(self._known, number)
        self._go_on()

    @property
    def is_empty(self) -> bool:
        """Whether the master has written everything."""
        return not self._waiting and self._known == self._sent

    def _go_on(self) -> None:
        while self._waiting and self._sent - self._known < MOST_UNDER_WAY:
            stream, data = self._waiting.popleft()
            self._sent += 1
            self._send(Lines(self._sent, stream, data))


class StreamOutlet:
    """Where the ledger writes the records of one stream."""

    def __init__(self, outbox: Outbox, stream: str) -> None:
        self._outbox = outbox
        self._stream = stream

    def write(self, data: bytes, /) -> None:
        """Take whole lines."""
        self._outbox.put(self._stream, data)

    def close(self) -> None:
        """The outbox goes on until it is empty."""


def _parts(data: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + MOST_BYTES) + 1 or data.find(b"\n", begin) + 1 or len(data)
        yield data[begin:end]
        begin = end
