from __future__ import annotations

import pytest

from fixtures.core.errors import FiredampError
from loadgen.message import to_message


def test_a_request_has_what_all_have_and_its_own() -> None:
    message = to_message("GET", "/payments?limit=1", "payments.ns", {"X-Test": "é"}, None)
    first, *lines = message.data.split(b"\r\n")
    assert first == b"GET /payments?limit=1 HTTP/1.1"
    assert sorted(lines) == [
        *(b"", b"", b"accept-encoding: identity", b"host: payments.ns", b"user-agent: firedamp"),
        "x-test: é".encode("latin-1"),
    ]


def test_what_is_given_replaces_what_all_have_however_it_is_spelt() -> None:
    headers = {"User-Agent": "curl", "Accept-Encoding": "gzip"}
    data = to_message("GET", "/", "payments.ns", headers, None).data
    assert sorted(data.split(b"\r\n")[1:4]) == [
        b"accept-encoding: gzip",
        b"host: payments.ns",
        b"user-agent: curl",
    ]


@pytest.mark.parametrize(
    ("method", "body", "end"),
    [
        ("post", "é", b"\r\ncontent-length: 2\r\n\r\n\xc3\xa9"),
        ("POST", None, b"\r\ncontent-length: 0\r\n\r\n"),
        ("DELETE", None, b"\r\naccept-encoding: identity\r\n\r\n"),
    ],
    ids=["body", "none", "none-needed"],
)
def test_a_body_has_its_length(method: str, body: str | None, end: bytes) -> None:
    message = to_message(method, "/", "x", {}, body)
    assert message.data.startswith(message.method.encode())
    assert message.method.isupper()
    assert message.data.endswith(end)


@pytest.mark.parametrize(
    ("method", "path", "headers", "said"),
    [
        ("GE T", "/", {}, "the method 'GE T' cannot be used"),
        ("CONNECT", "/", {}, "the method 'CONNECT' cannot be used"),
        ("GET", "/a b", {}, "'/a b': a path has no spaces"),
        ("GET", "/", {"x": "1\r\nx-other: 2"}, r"a header cannot be 'x': '1\\r\\nx-other: 2'"),
        ("GET", "/", {"x y": "1"}, "a header cannot be 'x y': '1'"),
        ("GET", "/", {"x": "→"}, "a header cannot be 'x': '→'"),
        ("GET", "/", {"x": " 1"}, "a header cannot be 'x': ' 1'"),
        ("GET", "/", {"Content-Length": "1"}, "the load generator sets content-length itself"),
        ("GET", "/" + "a" * 62_000, {}, "have 62,0.. bytes, and gateways take 61,440"),
    ],
)
def test_what_http_cannot_say_is_refused(method: str, path: str, headers: dict[str, str], said: str) -> None:
    with pytest.raises(FiredampError, match=f"HTTP cannot say.*{said}"):
        to_message(method, path, "payments.ns", headers, None)
