from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import msgpack
import msgspec
import pytest

from loadgen.messages import LINES, PING, Lines, Ping, Post

TOKEN = "secret"


class FakeRunner:
    """Passes each message through the encoding of Locust's protocol, to who has registered for its kind."""

    def __init__(self) -> None:
        self.listeners: dict[str, Callable[..., object]] = {}

    def register_message(self, msg_type: str, listener: Callable[..., object]) -> None:
        self.listeners[msg_type] = listener

    def send_message(self, msg_type: str, data: object = None, client_id: str | None = None) -> None:
        # As `locust.rpc.protocol` does. Locust itself changes the process that imports it.
        encoded = msgpack.dumps((msg_type, data, client_id or "all"))
        kind, decoded, node_id = msgpack.loads(encoded, raw=False, strict_map_key=False)
        self.listeners[kind](environment=None, msg=SimpleNamespace(data=decoded, node_id=node_id))


@pytest.mark.parametrize(
    ("kind", "content"), [(LINES, Lines(3, "active", b"\xff\x00\n")), (PING, Ping(7))], ids=["lines", "ping"]
)
def test_a_message_arrives_as_it_was_sent(kind: str, content: msgspec.Struct) -> None:
    runner = FakeRunner()
    taken: list[tuple[str, object]] = []
    post = Post(runner, TOKEN)
    post.on(kind, type(content), lambda sender, each: taken.append((sender, each)))
    post.send(kind, content, "worker-1")
    assert taken == [("worker-1", content)]


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"bytes",
        {"number": 7},
        {"number": 7, "token": "guessed"},
        {"number": 7, "token": None},
        {"number": "seven", "token": TOKEN},
        {"token": TOKEN},
    ],
)
def test_a_message_without_the_token_or_of_another_shape_is_not_obeyed(data: object) -> None:
    runner = FakeRunner()
    Post(runner, TOKEN).on(PING, Ping, lambda *_: pytest.fail("it was obeyed"))
    runner.listeners[PING](environment=None, msg=SimpleNamespace(data=data, node_id="stranger"))
