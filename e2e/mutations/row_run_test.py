"""Tests how the result of a row is read from JUnit's file, and described."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.mutations.faults import FAULTS
from e2e.mutations.page import page, table
from e2e.mutations.plugin import NONE
from e2e.mutations.row_run import RowStatus, row_run_of

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
    row_run = row_run_of(fault, "a.py::test_b", junit)
    assert (row_run.status, row_run.why, row_run.seconds) == (status, why, 1.5)
    assert row_run.is_as_it_should == (status in {RowStatus.CAUGHT, RowStatus.GREEN})


def test_a_run_without_a_test_catches_nothing(tmp_path: Path) -> None:
    assert row_run_of(FAULTS[0].name, "a.py::test_b", tmp_path / "none.xml").status is RowStatus.BROKEN


def test_a_page_has_faults_and_control(tmp_path: Path) -> None:
    fault = FAULTS[0]
    runs = [row_run_of(name, fault.rows[0], tmp_path / "none.xml") for name in (fault.name, NONE)]
    text = page(runs)
    assert "0 of 1 faults were caught; 0 of 1 rows are green without." in text
    assert f"| {fault.name} | controller | {fault.what} |" in text
    assert table(runs).endswith("0 of 2 as they should be")
