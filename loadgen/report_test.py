from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from fixtures.core.record import to_line
from loadgen.offsets import Offset
from loadgen.plan import Stream, make_plan
from loadgen.records import Request
from loadgen.records_test import request
from loadgen.report import (
    InvalidLoadError,
    RunReport,
    judge,
    judge_so_far,
    make_report,
    require_workers,
)
from loadgen.shapes import Constant
from loadgen.status import Status, WorkerStatus, cpu_peak, read_statuses, silence, status_file

EPOCH = Epoch(1000.0, 0.0)
PLAN = make_plan(
    "http://127.0.0.1:80", (Stream("active", "payments.ns"),), Constant(100, 60), 10, epoch=EPOCH
)
PREVIEW = Stream("preview", "preview.payments.ns", shape=Constant(5, 60))
BOTH = make_plan(
    "http://127.0.0.1:80", (Stream("active", "payments.ns"), PREVIEW), Constant(100, 60), 10, epoch=EPOCH
)


def status(second: float, sent: int, cpu_s: float = 0.0, *, starved: int = 0) -> Status:
    t = 1000 + second
    return Status(t=t, began=1000, until=t, sent={"active": sent}, starved={"active": starved}, cpu_s=cpu_s)


def statuses(seconds: float, sent: Callable[[float], float], cpu: float = 0.1) -> list[Status]:
    """Return the statuses of a load that has sent so many requests after so many seconds."""
    times = [n / 4 for n in range(math.ceil(4 * seconds))] + [seconds]
    return [status(each, int(sent(each)), cpu * each) for each in times]


def evenly(seconds: float, count: int, **fields: object) -> list[Request]:
    """Return `count` requests, sent evenly in so many seconds; those that are late have `fields`."""
    times = [(1000 + (n + 0.5) * seconds / count, 1000 + (n + 0.5) / 100) for n in range(count)]
    return [request(t, intended=due, **(fields if t - due > 0.05 else {})) for t, due in times]


def report_of(sent: int, seconds: float = 10, cpu: float = 0.1, recorded: int | None = None) -> RunReport:
    """Return the report of a load of 100 requests/s whose clients all had to wait for answers."""
    said = statuses(seconds, lambda t: sent * t / seconds, cpu)
    requests = evenly(seconds, sent, free=False)
    return make_report(PLAN, said, requests[:recorded])


def test_a_run_that_kept_its_rate_is_accepted_and_summed_up() -> None:
    report = report_of(990)
    judge(report)
    assert (report.due, report.sent, report.rate) == (1000, 990, 99)
    assert str(report) == (
        "990 of 1,000 requests sent in 10.0 s (99.0/s), "
        "495 late by more than 50 ms (50.0%, n=990), 0 of them although a client was free, "
        "failed: none, load generator's CPU at most 10.0% of a core"
    )


def test_a_run_of_no_time_has_no_rate() -> None:
    assert str(report_of(7, seconds=4e-6)).startswith("7 of 0 requests sent in 0.0 s, ")


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (report_of(0), "no request was sent"),
        (report_of(770), r"only 770 of 1,000 requests were sent \(77.0%; it may be 1.0 s behind"),
        (report_of(1000, cpu=0.91), "used 91.0% of a core"),
        (report_of(500, cpu=0.99), "used 99.0% of a core"),
        (report_of(1000, recorded=997), "3 requests were sent but not recorded"),
        (make_report(PLAN, [], []), "no request was sent"),
        # Evenly too slow, of which the last second is no excuse.
        (report_of(810), "only 810 of 1,000"),
        (report_of(110, seconds=2), "only 110 of 200"),
    ],
)
def test_an_invalid_run_is_refused_as_the_loads_fault(report: RunReport, why: str) -> None:
    with pytest.raises(InvalidLoadError, match=why) as refused:
        judge(report)
    assert "the load's fault, never the product's" in str(refused.value)
    assert isinstance(refused.value, FiredampError)


def test_a_silence_in_the_middle_is_refused_although_all_was_sent_afterwards() -> None:
    # 20 s without a sign, and then 2,000 overdue requests at once.
    said = [each for each in statuses(50, lambda t: 100 * t) if not 10 < each.t - 1000 < 30]
    requests = [
        request(1030.0 if 10 < n / 100 < 30 else 1000 + n / 100, intended=1000 + n / 100) for n in range(5000)
    ]
    report = make_report(PLAN, said, requests)
    assert (report.due, report.sent, report.late.k) == (5000, 5000, 1994)
    with pytest.raises(InvalidLoadError, match=r"silent for 20\.0 s"):
        judge(report)
    with pytest.raises(InvalidLoadError, match=r"silent for 20\.0 s.* 50\.0 s into the run"):
        judge_so_far(PLAN, said, 1050.0)


def test_silence_counts_while_requests_are_asked_for() -> None:
    assert silence([]) == silence([status(0, 0)]) == 0
    assert silence([status(0, 0), status(0.25, 1), status(3.25, 2), status(3.5, 3)]) == pytest.approx(3)
    # Answers under way may keep the load generator, and whoever waits for it, for a while after the stop.
    stopped = Status(t=1003, began=1000, until=1003, sent={}, starved={}, cpu_s=0)
    assert silence([status(2.75, 0), stopped, replace(stopped, t=1020)]) == pytest.approx(0.25)


def test_a_silence_that_goes_on_is_refused_at_once() -> None:
    said = statuses(5, lambda t: 100 * t)
    judge_so_far(PLAN, said, 1007.9)
    with pytest.raises(InvalidLoadError, match=r"silent for 3\.1 s"):
        judge_so_far(PLAN, said, 1008.1)


def test_late_requests_are_the_loads_fault_only_if_a_client_was_free() -> None:
    def run(**fields: object) -> RunReport:
        # The last 15% of 20 s, half a second late.
        requests = [request(1000 + n / 100, intended=1000 + n / 100) for n in range(1700)]
        requests += [request(1017.5 + n / 100, intended=1017 + n / 100, **fields) for n in range(300)]
        return make_report(PLAN, statuses(20, lambda t: 100 * t), requests)

    stalled = run(free=False)
    judge(stalled)
    assert (stalled.late.k, stalled.starved) == (300, 0)
    starved = run(free=True)
    assert (starved.late.k, starved.starved) == (300, 300)
    assert "300 late by more than 50 ms (15.0%, n=2,000), 300 of them although a client was free" in str(
        starved
    )
    with pytest.raises(
        InvalidLoadError, match=r"300 of 2,000 .* although a client was free \(15\.0%; 10\.0% may"
    ):
        judge(starved)
    so_far = [*statuses(19.75, lambda t: 100 * t), status(20, 2000, 2.0, starved=300)]
    with pytest.raises(InvalidLoadError, match="although a client was free"):
        judge_so_far(PLAN, so_far, 1020.0)


def test_one_stream_without_load_is_not_made_up_for_by_another() -> None:
    requests = [request(1000.0 + i / 100) for i in range(1000)]
    said = statuses(10, lambda t: 100 * t)
    with pytest.raises(InvalidLoadError, match="stream preview: no request was sent"):
        judge(make_report(BOTH, said, requests))
    with pytest.raises(InvalidLoadError, match="stream preview: only 0 of 50"):
        judge_so_far(BOTH, said, 1010.0)


def test_a_short_stall_is_excused() -> None:
    assert report_of(6000, seconds=90).due == 6000
    judge(report_of(900))
    # A virtual machine stood still for 0.85 s, just before the end of 4.4 s.
    judge(make_report(PLAN, statuses(4.4, lambda t: min(100 * t, 355)), evenly(3.55, 355)))
    judge(report_of(40, seconds=0.9))
    # A second at its beginning, after which all that was due is sent at once.
    stalled = [request(1000.99, intended=1000 + n / 100, free=True) for n in range(94)]
    judge(make_report(PLAN, statuses(5, lambda t: 100 * t), stalled + evenly(5, 500)[94:]))


def test_a_run_is_judged_while_it_goes_on_with_a_moments_grace() -> None:
    judge_so_far(PLAN, statuses(5, lambda t: 80.2 * t), 1005.0)
    with pytest.raises(InvalidLoadError, match=r"5\.0 s into the run"):
        judge_so_far(PLAN, statuses(5, lambda t: 79 * t), 1005.0)


def test_cpu_is_the_worst_five_seconds() -> None:
    busy = [status(0, 0, 5.0), status(1, 1, 5.9), *(status(s, s, 5.9 + (s - 1) * 0.1) for s in range(2, 21))]
    assert cpu_peak(busy) == pytest.approx((0.9 + 0.4) / 5)
    assert cpu_peak(busy[:3]) == pytest.approx(0.5)
    assert cpu_peak(busy[:1]) == 0
    later = [status(s, s, 0.1 * s if s < 10 else 1.0 + (s - 10)) for s in range(16)]
    assert cpu_peak(later) == pytest.approx(1.0)


def test_statuses_are_read_back(tmp_path: Path) -> None:
    path = status_file(tmp_path, ["active", "preview"])
    assert read_statuses(path) == []
    path.write_bytes(to_line(status(1, 5)) + to_line(status(2, 9)) + b'{"half')
    assert read_statuses(path) == [status(1, 5), status(2, 9)]


def worker(second: float, **fields: object) -> WorkerStatus:
    return replace(WorkerStatus(t=1000 + second), **fields)


def with_workers(second: float, **workers: WorkerStatus) -> Status:
    return replace(status(second, 10), workers=workers)


SAME = Offset(0.0001, 0.0004)


def test_workers_that_have_ended_with_one_clock_are_accepted() -> None:
    ended = worker(9, state="ended", offsets=(SAME, SAME))
    require_workers([with_workers(10, one=ended, two=ended)], "", has_ended=True)
    require_workers([with_workers(10, one=worker(9.5, offsets=(SAME,)))], "")
    require_workers([], "", has_ended=True)


@pytest.mark.parametrize(
    ("two", "has_ended", "why"),
    [
        (worker(10, state="lost", sent=7), False, "two was lost after 7 requests"),
        (worker(10, sent=1234, offsets=(SAME, SAME)), True, "two was lost after 1,234 requests"),
        (worker(10, state="foreign"), False, "two is a worker that this run has not started"),
        (worker(10, offsets=(Offset(0.06, 0.0),)), False, r"clock of two differs .* by \+60\.0 ms"),
        (worker(10, offsets=(SAME, Offset(-0.0501, 0.0))), False, r"clock of two differs .* by -50\.1 ms"),
        (worker(10, offsets=(Offset(0.0, 0.051),)), False, r"\+0\.0 ms \(known within 51\.0 ms\)"),
        (worker(10, state="ended", offsets=(SAME,)), True, "clock of two was not compared at the end"),
        (worker(6.9, offsets=(SAME,)), False, r"two was silent for 3\.1 s"),
    ],
)
def test_a_load_is_refused_by_what_one_worker_was(two: WorkerStatus, has_ended: bool, why: str) -> None:
    one = worker(10, state="ended", offsets=(SAME, SAME))
    with pytest.raises(InvalidLoadError, match=why) as refused:
        require_workers([with_workers(10, one=one, two=two)], "so far", has_ended=has_ended)
    assert "so far" in refused.value.message
    assert "one " not in refused.value.message


def test_a_silence_that_is_over_still_counts() -> None:
    said = [with_workers(second, one=worker(second if second > 8 else 2)) for second in range(10)]
    with pytest.raises(InvalidLoadError, match=r"one was silent for 6\.0 s"):
        require_workers(said, "")


def test_what_a_worker_used_to_start_is_not_what_the_load_takes() -> None:
    silent, speaks = worker(0), [worker(n / 4, cpu_s=0.9 + 0.05 * n) for n in range(1, 5)]
    said = [with_workers(0, one=silent), *(with_workers(n / 4, one=speaks[n - 1]) for n in range(1, 5))]
    assert cpu_peak(said) == pytest.approx(0.2)


def test_cpu_is_that_of_the_process_that_used_most() -> None:
    said = [
        # The master knows of a worker what it said last.
        with_workers(n, idle=worker(n), busy=worker(n - n % 2, cpu_s=0.95 * (n - n % 2)))
        for n in range(13)
    ]
    assert cpu_peak(said) == pytest.approx(0.95)
