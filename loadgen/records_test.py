from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.core.record import CorruptRecordError, to_line
from loadgen.records import Request
from loadgen.requests import read_requests


def request(t: float = 100.0, **fields: object) -> Request:
    values: dict[str, object] = {
        "t": t,
        "intended": t,
        "received": t + 0.004,
        "latency_ms": 4.0,
        "service_ms": 4.0,
        "status": 200,
    }
    values |= {
        "version": "1.0",
        "pod": "pod-1",
        "host": "payments.ns",
        "path": "/payments",
        "stream": "active",
    }
    return Request(**(values | {"reused": True, "error": None, "free": None} | fields))  # type: ignore[arg-type]


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "requests-active.jsonl"


def test_a_line_is_the_timeline_schema(file: Path) -> None:
    row = json.loads(to_line(request()))
    assert row["kind"] == "request"
    assert set(row) == {
        *("t", "kind", "intended", "received", "latency_ms", "service_ms", "status", "version", "pod"),
        *("host", "path", "stream", "reused", "error", "free"),
    }
    append(file, to_line(request(version=None)))
    assert list(read_requests(file)) == [request(version=None)]


def test_requests_are_read_by_the_time_sent_over_all_files(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "requests-preview.jsonl"
    append(file, to_line(request(3)) + to_line(request(1)))
    append(other, to_line(request(2)))
    assert [each.t for each in read_requests(file, other)] == [1, 2, 3]


def test_a_half_written_last_line_is_left_out(file: Path) -> None:
    append(file, to_line(request(1)) + to_line(request(2))[:-9])
    assert [each.t for each in read_requests(file)] == [1]


@pytest.mark.parametrize(
    "broken",
    [
        b"{oops\n",
        b"[1]\n",
        to_line(request()).replace(b'"request"', b'"weight"'),
        b'{"kind":"weight","t":1}\n',
        b'{"kind":"request","t":1}\n',
    ],
)
def test_a_corrupt_line_is_an_error_that_says_where(file: Path, broken: bytes) -> None:
    first = to_line(request(1))
    append(file, first + broken + to_line(request(2)))
    with pytest.raises(CorruptRecordError, match=f"requests-active.jsonl, byte {len(first)}"):
        read_requests(file)


def test_failed_is_what_lets_the_client_down() -> None:
    assert not any(request(status=status).failed for status in (200, 204, 304))
    assert all(request(status=status).failed for status in (0, 404, 500, 503))
    assert request(error="timed out").failed
