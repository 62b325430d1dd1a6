from __future__ import annotations

import pytest

from loadgen.answering import Reading
from loadgen.ledger import Answer


def answer_with(*headers: str) -> Answer:
    reading = Reading("GET")
    lines = ["HTTP/1.1 503 Oh", *headers, "content-length: 0", "", ""]
    reading.feed("\r\n".join(lines).encode())
    return reading.answer(None)


@pytest.mark.parametrize(
    ("headers", "upstream", "flags"),
    [
        (["x-firedamp-upstream: 10.0.0.1:8080", "x-firedamp-flags: -"], "10.0.0.1:8080", None),
        (["x-firedamp-upstream: 10.0.0.1:8080", "x-firedamp-flags: UF,URX"], "10.0.0.1:8080", "UF,URX"),
        (["X-Firedamp-Flags: UH"], None, "UH"),
        (["x-firedamp-flags: -"], None, "-"),
        (["x-firedamp-upstream: -", "x-firedamp-flags: -"], None, "-"),
        ([], None, None),
    ],
)
def test_where_the_gateway_sent_the_request_and_with_which_flags(
    headers: list[str], upstream: str | None, flags: str | None
) -> None:
    answer = answer_with(*headers, "x-version: 1.0", "x-pod: its")
    assert answer == Answer(503, "1.0", "its", None, upstream, flags)


def test_of_no_answer_nothing_is_told() -> None:
    assert Reading("GET").answer("timed out") == Answer(error="timed out")
