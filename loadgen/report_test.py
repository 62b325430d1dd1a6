from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from loadgen.plan import Lane, make_plan
from loadgen.records_test import request
from loadgen.report import InvalidLoadError, RunReport, judge, judge_so_far, make_report
from loadgen.shapes import Constant
from loadgen.status import Status, cpu_peak, read_statuses, status_file

EPOCH = Epoch(1000.0, 0.0)
PLAN = make_plan("http://127.0.0.1:80", (Lane("active", "payments.ns"),), Constant(100, 60), 10, epoch=EPOCH)
PREVIEW = Lane("preview", "preview.payments.ns", shape=Constant(5, 60))
BOTH = make_plan(
    "http://127.0.0.1:80", (Lane("active", "payments.ns"), PREVIEW), Constant(100, 60), 10, epoch=EPOCH
)


def status(second: float, sent: int, cpu_s: float = 0.0) -> Status:
    return Status(t=1000 + second, began=1000, until=1000 + second, sent={"active": sent}, cpu_s=cpu_s)


def report_of(sent: int, seconds: float = 10, cpu: float = 0.1, recorded: int | None = None) -> RunReport:
    statuses = [status(0, 0), status(seconds, sent, cpu * seconds)]
    count = sent if recorded is None else recorded
    requests = [request(1000.2 + i / 100, intended=1000 + i / 100) for i in range(count)]
    return make_report(PLAN, statuses, requests)


def test_a_run_that_kept_its_rate_is_accepted_and_summed_up() -> None:
    report = report_of(990)
    judge(report)
    assert (report.asked, report.sent, report.rate) == (1000, 990, 99)
    assert str(report) == (
        "990 of 1,000 requests sent in 10.0 s (99.0/s), 990 late by more than 50 ms (100.0%, n=990), "
        "failed: none, load generator's CPU at most 10.0% of a core"
    )


def test_a_run_of_no_time_has_no_rate() -> None:
    assert str(report_of(7, seconds=4e-6)).startswith("7 of 0 requests sent in 0.0 s, ")


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (report_of(0), "no request was sent"),
        (report_of(770), r"only 770 of 1,000 requests were sent \(77.0%, n=1,000; 90.0% must be"),
        (report_of(1000, cpu=0.91), "used 91.0% of a core"),
        (report_of(500, cpu=0.99), "used 99.0% of a core"),
        (report_of(1000, recorded=997), "3 requests were sent but not recorded"),
        (make_report(PLAN, [], []), "no request was sent"),
    ],
)
def test_an_invalid_run_is_refused_as_the_loads_fault(report: RunReport, why: str) -> None:
    with pytest.raises(InvalidLoadError, match=why) as refused:
        judge(report)
    assert "the load's fault, never the product's" in str(refused.value)
    assert isinstance(refused.value, FiredampError)


def test_one_lane_without_load_is_not_made_up_for_by_another() -> None:
    requests = [request(1000.0 + i / 100) for i in range(1000)]
    with pytest.raises(InvalidLoadError, match="lane preview: no request was sent"):
        judge(make_report(BOTH, [status(0, 0), status(10, 1000)], requests))
    with pytest.raises(InvalidLoadError, match="lane preview: only 0 of 50"):
        judge_so_far(BOTH, [status(0, 0), status(10, 1000)])


def test_what_was_not_due_before_the_end_is_not_missing() -> None:
    assert report_of(6000, seconds=90).asked == 6000
    judge(report_of(900))
    # What is due in the last second may be missing, however short the run.
    judge(report_of(5, seconds=0.9))


def test_a_run_is_judged_while_it_goes_on_with_a_moments_grace() -> None:
    # A tenth of them may be missing, and the last second.
    judge_so_far(PLAN, [status(0, 0), status(5, 355)])
    with pytest.raises(InvalidLoadError, match=r"5\.0 s into the run"):
        judge_so_far(PLAN, [status(0, 0), status(5, 345)])


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
    path.write_text(status(1, 5).to_line() + status(2, 9).to_line() + '{"half')
    assert read_statuses(path) == [status(1, 5), status(2, 9)]
