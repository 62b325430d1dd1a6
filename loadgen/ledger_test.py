from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.core.clock import Epoch
from loadgen.ledger import Answer, Ledger, in_folder
from loadgen.plan import Call, Stream, make_plan
from loadgen.records import requests_file
from loadgen.requests import read_requests
from loadgen.shapes import Constant
from loadgen.status import read_statuses, status_file

CALLS = (Call("/a", weight=3, headers={"x-call": "a"}), Call("/b", weight=1, headers={"x-stream": "over"}))
STREAM = Stream("active", "payments.ns", CALLS, {"x-stream": "1"})
EPOCH = Epoch.take()
PLAN = make_plan("http://127.0.0.1:80", (STREAM,), Constant(10, 1), 10, epoch=EPOCH)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = in_folder(PLAN, tmp_path)
    yield made
    made.close()


def test_each_send_time_is_claimed_once_and_none_after_the_end(ledger: Ledger) -> None:
    stream = ledger.streams[0]
    stream.begin_schedule(500.0)
    assert [due.at for _ in range(3) if (due := stream.claim())] == pytest.approx([500.05, 500.15, 500.25])
    ledger.end_schedule()
    assert stream.claim() is None


def test_the_schedule_runs_out(ledger: Ledger) -> None:
    claimed = [ledger.streams[0].claim() for _ in range(12)]
    assert claimed[10:] == [None, None]


def test_the_mix_has_its_weights_and_its_headers(ledger: Ledger) -> None:
    drawn = [ledger.streams[0].message(number) for number in range(4000)]
    assert Counter(message.path for message in drawn)["/a"] == pytest.approx(3000, abs=150)
    a, b = (next(message for message in drawn if message.path == path) for path in ("/a", "/b"))
    assert {b"x-stream: 1", b"x-call: a", b"host: payments.ns"} < set(a.data.split(b"\r\n"))
    assert b"x-stream: over" in b.data.split(b"\r\n")


def test_latency_is_counted_from_the_intended_time(ledger: Ledger, tmp_path: Path) -> None:
    stream = ledger.streams[0]
    attempt = stream.begin(time.monotonic() - 2, stream.message(0))
    stream.end(attempt, Answer(500, "1.2-5xx", "pod-1"), reused=True)
    ledger.report()
    [request] = read_requests(requests_file(tmp_path, "active"))
    assert request.latency_ms == pytest.approx(2000, abs=1000)
    assert request.service_ms < 1000
    assert request.t - request.intended == pytest.approx(2, abs=1)
    assert request.t == pytest.approx(time.time(), abs=1)
    assert (request.status, request.claimed, request.reused, request.host) == (
        500,
        "1.2-5xx",
        True,
        "payments.ns",
    )


@pytest.mark.parametrize("by_gateway", [{"upstream": "10.0.0.1:80"}, {"flags": "UH"}, {}])
def test_what_the_app_says_is_the_version_only_if_the_gateway_says_nothing(
    by_gateway: dict[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    stream = ledger.streams[0]
    answer = Answer(200, "1.0", "pod-1", **by_gateway)
    stream.end(stream.begin(time.monotonic(), stream.message(0)), answer, reused=True)
    ledger.flush()
    [request] = read_requests(requests_file(tmp_path, "active"))
    assert (request.claimed, request.claimed_pod) == ("1.0", "pod-1")
    assert (request.upstream, request.flags) == (by_gateway.get("upstream"), by_gateway.get("flags"))
    assert (request.version, request.pod) == ((None, None) if by_gateway else ("1.0", "pod-1"))


@pytest.mark.parametrize("step", [-600.0, -2.0, 2.0, 600.0])
def test_a_step_of_the_wall_clock_between_harness_and_load_moves_no_record(
    step: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    ledger = in_folder(PLAN, tmp_path)
    before = EPOCH.now()
    ledger.begin_schedule()
    [stream] = ledger.streams
    stream.end(stream.begin(time.monotonic(), stream.message(0)), Answer(200), reused=False)
    ledger.close()
    [request] = read_requests(requests_file(tmp_path, "active"))
    [status] = read_statuses(status_file(tmp_path, ["active"]))
    answered = EPOCH.now()
    # Of six digits, as records have them.
    for stamp in (request.t, request.intended, request.received, status.began, status.t, status.until):
        assert before - 1e-6 <= stamp <= answered + 1e-6


def test_the_status_counts_what_is_under_way_and_stops_asking_at_the_end(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = status_file(tmp_path, ["active"])
    ledger.report()
    assert read_statuses(path) == []
    ledger.begin_schedule()
    stream = ledger.streams[0]
    stream.end(stream.begin(0.0, stream.message(0)), Answer(), reused=False)
    stream.begin(0.0, stream.message(0))
    ledger.end_schedule()
    assert ledger.stopped
    ledger.report()
    ledger.report()
    first, second = read_statuses(path)
    assert first.sent == second.sent == {"active": 2}
    assert first.until == pytest.approx(second.until, abs=1e-6)
    assert second.t > first.t


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_a_late_request_says_whether_a_client_was_free(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, stream = Clock(monkeypatch), ledger.streams[0]
    message = stream.message(0)
    in_time = stream.begin(99.96, message)
    assert in_time.free is None
    # Nine of ten clients wait for answers: one was free, so the load generator is at fault.
    others = [stream.begin(100.0, message) for _ in range(8)]
    clock.now = 101.0
    assert stream.begin(100.5, message).free is True
    # Now all ten wait. Two of them are answered at 102.
    clock.now = 102.0
    for attempt in others[:2]:
        stream.end(attempt, Answer(200), reused=True)
    clock.now = 103.0
    assert stream.begin(101.5, message).free is False
    assert stream.begin(102.5, message).free is True
    for attempt in (in_time, *others[2:]):
        stream.end(attempt, Answer(200), reused=True)
    ledger.begin_schedule()
    ledger.report()
    assert {each.free for each in read_requests(requests_file(tmp_path, "active"))} == {None}
    assert read_statuses(status_file(tmp_path, ["active"]))[-1].starved == {"active": 2}


def test_overdue_requests_after_a_silence_are_the_load_generators_fault(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It was stopped for 2 s. All ten clients send at once what they had claimed, and claim the next, again
    # and again: when those were due, nobody waited for an answer.
    clock, stream = Clock(monkeypatch), ledger.streams[0]
    clock.now = 102.0
    attempts = []
    for n in range(20):
        attempts.append(stream.begin(100 + n / 10, stream.message(0)))
        if n >= 9:
            stream.end(attempts[n - 9], Answer(200), reused=True)
    # The last was due at 101.9.
    assert [attempt.free for attempt in attempts] == [True] * 20


def test_the_records_of_another_run_are_not_mixed_in(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.streams
    with pytest.raises(FileExistsError):
        in_folder(PLAN, tmp_path)
