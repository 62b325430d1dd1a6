from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from fixtures.core.record import CorruptRecordError, read_records, to_line
from loadgen import requests
from loadgen.records import Request
from loadgen.records_test import request
from loadgen.requests import RequestLog, Requests, read_requests

SENT = [
    request(1, version="1.0", received=9.0),
    request(2, version="1.0", stream="preview", free=True),
    request(3, version="1.1", status=500, free=False),
    request(4, version=None, status=503, intended=0.5),
    request(5, version=None, pod=None, status=0, error="timed out"),
    request(6, version="1.1", status=302, reused=False),
]


def test_each_request_comes_back_as_it_was_by_the_time_sent() -> None:
    columns = Requests.of(reversed(SENT))
    assert list(columns) == SENT
    assert (columns[0], columns[-1], list(columns[2:4])) == (SENT[0], SENT[-1], SENT[2:4])
    assert columns.t.tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(IndexError):
        columns[6]


def test_what_is_asked_of_all_at_once_is_what_each_says() -> None:
    columns = Requests.of(SENT)
    assert columns.failed.tolist() == [each.failed for each in SENT]
    assert list(columns.answered) == [each for each in SENT if each.version]
    assert list(columns.stream("preview")) == [SENT[1]]
    assert list(columns.of_version("1.1")) == [SENT[2], SENT[5]]
    assert not columns.of_version("1.2")
    assert list(columns.of_streams(["preview", "other"])) == [SENT[1]]
    assert columns.of_streams(["preview", "active"]) is columns
    assert list(columns.where(columns.having("free", False))) == [SENT[2]]
    assert columns.counts("version") == {"1.0": 2, "1.1": 2, None: 2}
    assert columns.scores("version", lambda version: len(version or "")).tolist() == [3, 3, 3, 0, 0, 3]
    assert (columns.first, columns.last) == (0.5, 9.0)


def test_a_time_has_its_beginning_and_not_its_end() -> None:
    columns = Requests.of(SENT)
    assert list(columns.between(2, 4)) == SENT[1:3]
    assert list(columns.between(4)) == SENT[3:]
    assert list(columns.between(-math.inf, math.inf)) == SENT


def test_of_no_requests_everything_can_be_asked() -> None:
    none = Requests.of([])
    assert (len(none), none.first, none.last, list(none)) == (0, None, None, [])
    assert not none.failed.any()
    assert none.counts("version") == {}
    assert not none.of_streams(["active"])


def test_texts_can_be_changed_and_still_refer_to_each_other() -> None:
    columns = Requests.of(SENT).with_texts(lambda text: f"<{text}>")
    assert columns.counts("version") == {"<1.0>": 2, "<1.1>": 2, None: 2}
    assert (columns[4].error, columns[1].free) == ("<timed out>", True)


def test_texts_that_become_equal_are_one() -> None:
    columns = Requests.of(SENT).with_texts(lambda _: "same")
    assert columns.counts("version") == {"same": 4, None: 2}
    assert len(columns.of_version("same")) == 4


@pytest.mark.parametrize("block", [1, 100, 400, 100_000])
def test_a_file_is_read_in_blocks_of_whole_lines(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_BLOCK_BYTES", block)
    path = tmp_path / "requests-active.jsonl"
    path.write_bytes(b"".join(map(to_line, SENT)) + b'{"kind":"req')
    assert list(read_requests(path)) == read_records(path, Request)[0] == SENT


def test_a_log_reads_each_line_once_while_its_files_grow(tmp_path: Path) -> None:
    first, second = (tmp_path / f"requests-{stream}.jsonl" for stream in ("active", "preview"))
    log = RequestLog()
    line = to_line(SENT[0])
    first.write_bytes(line[:20])
    assert list(log.read([first])) == []
    first.write_bytes(line + to_line(SENT[2]))
    second.write_bytes(to_line(SENT[1]))
    columns = log.read([first, second])
    assert list(columns) == SENT[:3]
    # What was read is not looked at again, and without news it is the same.
    first.write_bytes(b"x" * len(line) + to_line(SENT[2]))
    assert log.read([first, second]) is columns
    second.write_bytes(to_line(SENT[1]) + to_line(SENT[3]))
    assert list(log.read([first, second])) == SENT[:4]
    assert list(columns) == SENT[:3], "what was returned before has changed"


def test_a_file_under_two_paths_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load generator knows its folder by an absolute path, a trial by that which the user gave."""
    path = tmp_path / "requests-active.jsonl"
    path.write_bytes(to_line(SENT[0]))
    monkeypatch.chdir(tmp_path)
    log = RequestLog()
    log.read([path])
    assert list(log.read([Path(path.name)])) == SENT[:1]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b"{oops\n", "malformed"),
        (b"\n", "truncated"),
        (to_line(SENT[0]).replace(b'"reused":true', b'"reused":true,"t":7'), "'t'"),
        (to_line(SENT[0]).replace(b'"status":200', b'"status":1000'), "status"),
        (to_line(SENT[0]).replace(b'"pod":', b'"pod":"twice","pod":'), "'pod'"),
        (to_line(SENT[0]).replace(b'"host":"payments.ns",', b""), "host"),
    ],
)
def test_a_damaged_line_among_many_is_one_error_that_says_where(
    broken: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "requests-active.jsonl"
    before = to_line(SENT[0]) * 5000
    path.write_bytes(before + broken + to_line(SENT[1]))
    with pytest.raises(CorruptRecordError, match=rf"active.jsonl, byte {len(before)}\b(.|\n)*{message}"):
        read_requests(path)


def test_a_field_more_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "requests-active.jsonl"
    path.write_bytes(to_line(SENT[0]).replace(b'"t":', b'"later":[{"a":1}],"t":') + to_line(SENT[1]))
    assert list(read_requests(path)) == SENT[:2]


OPTIONAL = {"upstream": "10.0.0.1:80", "flags": "URX", "claimed": "2.0", "claimed_pod": "its"}


def test_fields_that_are_left_out_come_back_as_null_and_null_may_be_written(tmp_path: Path) -> None:
    path = tmp_path / "requests-active.jsonl"
    line = to_line(request(1, version=None, pod=None, **OPTIONAL))
    assert b"version" not in line
    path.write_bytes(line + to_line(SENT[0]) + line.replace(b'"t":1', b'"version":null,"pod":null,"t":1'))
    columns = list(read_requests(path))
    assert [each.version for each in columns] == [None, "1.0", None]
    assert {name: getattr(columns[2], name) for name in OPTIONAL} == OPTIONAL


def test_answers_of_the_gateway_and_of_unknown_pods_are_told_apart() -> None:
    answers = [
        {"upstream": "a:80"}, {"upstream": "a:80", "version": "1.0"}, {"flags": "UH"}, {"flags": "-"},
        {"upstream": "a:80", "flags": "UF"}, {"upstream": "a:80", "flags": "URX"}, {},
    ]  # fmt: skip
    sent = [request(n, **{"version": None, "pod": None, **answer}) for n, answer in enumerate(answers)]
    columns = Requests.of(sent)
    assert columns.by_proxy.tolist() == [each.is_by_proxy for each in sent]
    assert columns.by_proxy.tolist() == [False, False, True, True, True, False, False]
    assert [each.t for each in columns.unattributed] == [0, 5]


def test_texts_are_replaced_and_no_other_field() -> None:
    columns = Requests.of(SENT)
    values, places = columns.texts("version")
    assert [values[place] for place in places] == [each.version for each in SENT]
    part = columns.stream("active").replaced(version=(["2.0", None], np.array([0, 1, 0, 1, 0])))
    assert [each.version for each in part] == ["2.0", None, "2.0", None, "2.0"]
    assert [each.t for each in part] == [each.t for each in SENT if each.stream == "active"]
    assert list(columns) == SENT
