"""Tests how the result of a row is read from JUnit's file, and described."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.mutations import judge_alone
from e2e.mutations.faults import FAULTS
from e2e.mutations.judge_alone import JudgeAlone
from e2e.mutations.page import page, table
from e2e.mutations.plugin import NONE
from e2e.mutations.row_run import RowRun, RowStatus, read_runs, row_run_of
from fixtures.core.documents.record_lines import add_record
from fixtures.core.errors import FiredampError

_FAILED = '<failure message="fixtures.errors.NotMetError: weight 5&#10;more">trace</failure>'


@pytest.mark.parametrize(
    ("fault", "inside", "status", "why"),
    [
        ("abort-leaves-weight", _FAILED, RowStatus.CAUGHT, "NotMetError: weight 5"),
        ("abort-leaves-weight", "", RowStatus.MISSED, "it passed"),
        ("abort-leaves-weight", '<error message="no cluster"/>', RowStatus.BROKEN, "no cluster"),
        ("abort-leaves-weight", '<skipped message="no docker"/>', RowStatus.BROKEN, "no docker"),
        (NONE, "", RowStatus.GREEN, "it passed"),
        (NONE, _FAILED, RowStatus.RED, "NotMetError: weight 5"),
    ],
)
def test_only_a_failure_of_the_test_itself_catches_a_fault(
    tmp_path: Path, fault: str, inside: str, status: RowStatus, why: str
) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(
        f'<testsuites><testsuite><testcase time="1.5">{inside}</testcase></testsuite></testsuites>'
    )
    row_run = row_run_of(fault, "a.py::test_b", tmp_path)
    assert (row_run.status, row_run.why, row_run.seconds) == (status, why, 1.5)
    assert row_run.is_as_it_should == (status in {RowStatus.CAUGHT, RowStatus.GREEN})


def test_a_run_without_a_test_catches_nothing(tmp_path: Path) -> None:
    assert row_run_of(FAULTS[0].name, "a.py::test_b", tmp_path).status is RowStatus.BROKEN


def test_a_page_has_faults_and_control(tmp_path: Path) -> None:
    fault = FAULTS[0]
    runs = [row_run_of(name, fault.rows[0], tmp_path) for name in (fault.name, NONE)]
    text = page(runs)
    assert "0 of 1 faults were caught; 0 of 1 rows are green without." in text
    assert f"| {fault.name} | controller | {fault.what} |" in text
    assert "| did not run | pytest ran no such test | ? |" in text
    assert table(runs).endswith("0 of 2 as they should be")


def test_a_page_tells_what_the_judge_alone_says() -> None:
    alarm = JudgeAlone(recordings=1, violated=["limits: one", "pauses: two", "limits: three"])
    again = JudgeAlone(recordings=1, violated=["old-pods: one"], of="judged again")
    assert "| it failed | old-pods (judged again) |" in page([_run(FAULTS[0].name, again)])
    in_doubt = JudgeAlone(recordings=1, doubts=["proxy-errors: UF"], known=["no-switching: to and fro"])
    late = JudgeAlone(recordings=1, bound="the abort took 30.00 s; at most 12 s follow")
    text = page([_run(FAULTS[0].name, alarm), _run(FAULTS[1].name, in_doubt), _run(FAULTS[2].name, None)])
    assert "The judge alone caught 1 of 2 faults that it was asked about, of 3; without" in text
    assert "| it failed | limits, pauses |" in text
    assert "| it failed | nothing |" in text
    assert "| it failed | ? |" in text
    with_control = page([_run(FAULTS[0].name, late), _run(NONE, alarm), _run(NONE, in_doubt)])
    assert "| bound: the abort took 30.00 s; at most 12 s follow |" in with_control
    assert (
        "caught 1 of 1 faults that it was asked about, of 1; without a fault it raised an alarm in 1 of 2"
        in (with_control)
    )


def test_the_last_run_of_a_row_counts_with_what_the_judge_said_of_it(tmp_path: Path) -> None:
    file, first = tmp_path / "runs.jsonl", _run(FAULTS[0].name, None)
    other = _run(FAULTS[1].name, None)
    judge_alone.write(JudgeAlone(recordings=2, violated=["limits: one"]), tmp_path)
    again = row_run_of(first.fault, first.row, tmp_path)
    assert again.alone is not None
    assert again.alone.is_alarm
    for each in (first, other, again):
        add_record(each, file)
    assert read_runs(file) == [again, other]


def test_a_line_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text(
        '{"fault": "a", "row": "b", "status": "fine", "why": "", "seconds": 1}'
    )
    with pytest.raises(FiredampError, match=r"runs\.jsonl, line 1"):
        read_runs(tmp_path / "runs.jsonl")


def _run(fault: str, alone: JudgeAlone | None) -> RowRun:
    return RowRun(fault, FAULTS[0].rows[0], RowStatus.CAUGHT, "it failed", 1.0, alone)
