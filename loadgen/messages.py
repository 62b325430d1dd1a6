"""The messages between the master and the workers of a distributed load, beside Locust's own.

They are sent and received by Locust (`send_message` and `register_message`). Locust's protocol does not say
who sends a message. So each of these has the token of its run, and one without it is not obeyed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

HELLO, LINES, STATUS, CLOCK, ENDED = (
    f"firedamp_{each}" for each in ("hello", "lines", "status", "clock", "ended")
)
"""From a worker: its name; records; a status; what its clock shows; that all its records were sent."""
PING, BEGIN, KNOWN, END = "firedamp_ping", "firedamp_begin", "firedamp_known", "firedamp_end"
"""From the master: what does your clock show; begin; the number of the last records written; end."""

_TOKEN = "token"  # noqa: S105 - the name of a field

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Hello(msgspec.Struct, frozen=True):
    """A worker is there.

    Attributes:
        name: Its name in errors and records.
    """

    name: str


class Lines(msgspec.Struct, frozen=True):
    """Some records of one stream.

    Attributes:
        number: Counts the messages of this kind of one worker, from 1.
        stream: The stream.
        data: Whole lines.
    """

    number: int
    stream: str
    data: bytes


class Known(msgspec.Struct, frozen=True):
    """All records up to this number were written to a file."""

    number: int


class Line(msgspec.Struct, frozen=True):
    """A status of a worker, as the line of a file."""

    data: bytes


class Ping(msgspec.Struct, frozen=True):
    """A question for the time; the answer has the same number."""

    number: int


class Clock(msgspec.Struct, frozen=True):
    """The answer to a ping: what the worker's clock shows, in Unix seconds."""

    number: int
    t: float


class Begin(msgspec.Struct, frozen=True):
    """The schedule begins.

    Attributes:
        at: When, in Unix seconds of the master's clock.
        index: Which part the worker has.
        count: How many parts there are.
        correction: What the worker takes off its clock, in seconds; see `loadgen.offsets`.
    """

    at: float
    index: int
    count: int
    correction: float


class Empty(msgspec.Struct, frozen=True):
    """A message that says all by its kind."""


class Runner(Protocol):
    """What is used of Locust's runners."""

    def send_message(self, msg_type: str, data: object = None, client_id: str | None = None) -> None:
        """Send a message to the other side, or to one of several."""

    def register_message(self, msg_type: str, listener: Callable[..., object]) -> None:
        """Have a function called for each message of a kind."""


class Post:
    """Sends and takes messages of one run by Locust."""

    def __init__(self, runner: Runner, token: str) -> None:
        """Take Locust's runner, and the token of the run."""
        self._runner = runner
        self._token = token

    def send(self, kind: str, content: msgspec.Struct | None = None, to: str | None = None) -> None:
        """Send a message; a master names the worker, or sends it to all of them."""
        data = msgspec.to_builtins(content or Empty(), builtin_types=(bytes,))
        self._runner.send_message(kind, {**data, _TOKEN: self._token}, to)

    def on(self, kind: str, shape: type[Shape], take: Callable[[str, Shape], object]) -> None:
        """Have `take` called with the sender and the content of each message of a kind that has the token."""

        def listener(environment: object, msg: Any) -> None:  # noqa: ANN401, ARG001 - as Locust calls it
            if content := self._content(msg.data, shape):
                take(msg.node_id, content)

        self._runner.register_message(kind, listener)

    def _content(self, data: object, shape: type[Shape]) -> Shape | None:
        if not isinstance(data, Mapping) or not hmac.compare_digest(str(data.get(_TOKEN, "")), self._token):
            return None
        try:
            return msgspec.convert(dict(data), shape, builtin_types=(bytes,))
        except msgspec.ValidationError:
            return None
