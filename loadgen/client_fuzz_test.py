"""The client against thousands of answers, good, broken and hostile, each followed by a good one."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import h11
import pytest

from loadgen.client import Client
from loadgen.hostile_for_test import HostileServer, Script
from loadgen.ledger import Answer
from loadgen.message import to_message

_CASES = 1500
# No case waits this long: an incomplete answer ends with its connection.
_TIMEOUT_S = 10.0
_STATUSES = (200, 201, 206, 204, 302, 304, 400, 404, 418, 500, 503, 599)
_BODILESS = (204, 304)
_VERSIONS = (b"1.0", b"1.2-5xx", b" padded ", b"", None)
_INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\nx-version: early\r\nx-pod: early\r\n\r\n",
)
_AFTER = (b"H", b"junk", b"\0\1\2", b"HTTP/1.1 500 Other\r\nx-version: other\r\ncontent-length: 0\r\n\r\n")


@dataclass(frozen=True)
class Case:
    """What a server sends, and what a client has to make of it."""

    script: Script
    expected: Answer
    is_error: bool


def test_each_answer_is_the_final_one_and_whole_or_an_error(draw: random.Random) -> None:
    cases = [_case(draw) for _ in range(_CASES)]
    answers = _answers([case.script for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        final = Answer(answer.status, answer.claimed, answer.claimed_pod)
        assert (final, answer.error is not None) == (case.expected, case.is_error), (case, answer.error)
    # There were enough cases of each kind.
    assert min(Counter(case.is_error for case in cases).values()) > _CASES / 5


def test_what_passes_for_a_whole_answer_is_one_for_another_parser_too(draw: random.Random) -> None:
    scripts = [_damaged(draw) for _ in range(_CASES)]
    answers = _answers(scripts)
    whole = [
        (script, answer) for script, answer in zip(scripts, answers, strict=True) if answer.error is None
    ]
    for script, answer in whole:
        assert _by_h11(b"".join(script.parts)) == (answer.status, answer.claimed), script
    assert _CASES / 10 < len(whole) < _CASES * 9 / 10


@pytest.fixture
def draw() -> random.Random:
    """Random numbers, the same in each run."""
    return random.Random(17)


def _answers(scripts: Sequence[Script]) -> list[Answer]:
    """Return how a client reads each answer; after each, check that it still reads a good answer."""
    answers = []
    with HostileServer(scripts.__getitem__) as server:
        client = Client(server.address, _TIMEOUT_S)
        for place, script in enumerate(scripts):
            answers.append(client.answer(to_message("GET", f"/{place}", "payments.ns", {}, None)))
            if script.closes:
                # A request that is sent at the moment in which a server closes gets no answer.
                server.wait_closed(place)
            healthy = client.answer(to_message("GET", "/healthy", "payments.ns", {}, None))
            assert healthy == Answer(200, "healthy", "pod-1"), script
        client.close()
    return answers


def _case(draw: random.Random) -> Case:
    status, version = draw.choice(_STATUSES), draw.choice(_VERSIONS)
    interim = b"".join(draw.choices(_INTERIM, k=draw.choice((0, 0, 1, 3))))
    named = [] if version is None else [b"x-version: " + version]
    framing, body = _framed(draw, status)
    head = interim + _head(draw, status, [*named, b"x-pod: p", *framing])
    answer = head + body
    shown = (version or b"").strip().decode() or None
    good, ends_with_connection = Answer(status, shown, "p"), not framing and status not in _BODILESS
    fate = draw.choice(("whole", "cut", "more"))
    if fate == "cut":
        cut = draw.randrange(len(answer))
        is_error = cut < len(head) or not ends_with_connection
        expected = good if cut >= len(head) else Answer()
        return Case(_script(draw, answer[:cut], closes=True), expected, is_error)
    after = draw.choice(_AFTER) if fate == "more" and not ends_with_connection else b""
    return Case(_script(draw, answer, after, closes=ends_with_connection), good, is_error=False)


def _framed(draw: random.Random, status: int) -> tuple[list[bytes], bytes]:
    """Headers that say how long a body is, and the body with what is part of its framing."""
    if status in _BODILESS:
        return [], b""
    body = draw.randbytes(draw.choice((0, 1, 2, 100, 20_000)))
    kind = draw.choice(("length", "length", "chunked", "close"))
    if kind == "length":
        return [b"content-length: %d" % len(body)], body
    if kind == "close":
        return [], body
    parts = [body[at : at + 7_000] for at in range(0, len(body), 7_000)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    trailer = draw.choice((b"", b"x-version: trailer\r\n"))
    return [b"Transfer-Encoding: Chunked"], chunks + b"0\r\n" + trailer + b"\r\n"


def _head(draw: random.Random, status: int, lines: list[bytes]) -> bytes:
    others = [b"date: Sun, 29 Nov 2026 20:00:00 GMT", b"server: istio-envoy", b"x-long: " + b"y" * 500]
    fields = draw.sample(others, k=draw.randrange(4)) + lines
    draw.shuffle(fields)
    return b"HTTP/1.1 %d Said\r\n%b\r\n" % (status, b"".join(field + b"\r\n" for field in fields))


def _script(draw: random.Random, data: bytes, after: bytes = b"", *, closes: bool) -> Script:
    """Send it in up to six segments, and what comes `after` it with the last of them.

    Bytes of their own could arrive only after the next request was sent, and then nobody can tell them from
    the beginning of its answer.
    """
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.choice((0, 0, 1, 5))))
    parts = [data[since:until] for since, until in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    *parts, last = [part for part in parts if part] or [b""]
    return Script([part for part in (*parts, last + after) if part], closes=closes)


def _damaged(draw: random.Random) -> Script:
    """A good answer in which some bytes were changed, left out or doubled."""
    data = bytearray(b"".join(_case(draw).script.parts)[:400])
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(len(data) or 1)
        kind = draw.randrange(3)
        if kind == 0:
            data[at : at + 1] = draw.randbytes(1)
        elif kind == 1:
            del data[at : at + draw.randrange(1, 9)]
        else:
            data[at:at] = data[max(at - draw.randrange(40), 0) : at]
    return Script([bytes(data)], closes=True)


def _by_h11(data: bytes) -> tuple[int, str | None]:
    """Status and version of the first final answer, as another library reads them.

    Without empty lines before a status line, which llhttp skips there and h11 does not.
    """
    data = re.sub(rb"(^|\r\n\r\n)[\r\n]+HTTP/", rb"\1HTTP/", data)
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    final: tuple[int, str | None] = (0, None)
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        assert not isinstance(event, h11.ConnectionClosed)
        if isinstance(event, h11.Response):
            versions = [value for name, value in event.headers if name == b"x-version"]
            final = (event.status_code, b", ".join(versions).strip().decode("latin-1") or None)
    return final
