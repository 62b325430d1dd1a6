from __future__ import annotations

from pathlib import Path

import pytest

from e2e.cases.page import page
from e2e.cases.records import CaseRecord, read_records
from e2e.cases.scenario_rows import LeftOut, ScenarioRow, ScenarioRows, Seen
from fixtures.core.documents.record_lines import add_record
from fixtures.core.errors import FiredampError
from fixtures.repro.reader import read_case

_FILE = Path(__file__).parent / "06-aborted-scaled-up-again.yaml"

_NONE = ScenarioRows(row=[], left_out=[])


def record(version: str, verdict: str, shown: str = "", at: str = "2026-11-30T15:15:00Z") -> CaseRecord:
    return CaseRecord(
        case=_FILE.stem, component="rollouts", version=version, verdict=verdict, shown=shown,
        seconds=40.0, commit="0123456789abcdef", at=at,
    )  # fmt: skip


def row(*records: CaseRecord) -> list[str]:
    """The cells of the row of the case."""
    (line,) = [
        each for each in page([read_case(_FILE)], records, _NONE).splitlines() if each.startswith("| [06-")
    ]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_case_that_did_not_run_says_so() -> None:
    case, title, reported = row()
    assert case == "[06-aborted-scaled-up-again](../e2e/cases/06-aborted-scaled-up-again.yaml)"
    assert title.startswith("After an abort")
    assert reported == "[argo-rollouts#4973](https://github.com/argoproj/argo-rollouts/issues/4973)"


def test_the_last_run_of_each_version_counts_and_versions_are_in_their_order() -> None:
    cells = row(
        record("v1.10.2", "reproduced"),
        record("v1.9.3", "could not be run", "late"),
        record("v1.9.3", "not reproduced", at="2026-12-01T10:00:00Z"),
    )
    assert cells[3:] == [
        "not reproduced, 2026-12-01, `0123456789abcdef`",
        "**reproduced**, 2026-11-30, `0123456789abcdef`",
    ]


def test_what_could_not_be_run_is_listed_with_its_reason() -> None:
    text = page([read_case(_FILE)], [record("v1.9.3", "could not be run", "the load was late")], _NONE)
    assert "unknown, 2026-11-30" in text
    assert "| 06-aborted-scaled-up-again | rollouts v1.9.3 | the load was late |" in text


def test_scenarios_have_their_runs_and_what_is_left_out_its_reason() -> None:
    seen = Seen(version="rollouts v1.10.2", verdict="reproduced", day="2026-12-01", commit="0123456789ab")
    row = ScenarioRow(issues=[3854], test="e2e/gitops/test_x.py::test_y", what="It is lost", seen=[seen])
    text = page([], [], ScenarioRows(row=[row], left_out=[LeftOut(issues=[1], why="no steps")]))
    assert (
        "| [test_y](../e2e/gitops/test_x.py) | It is lost | rollouts v1.10.2: **reproduced**, 2026-12-01"
        in text
    )
    assert "[argo-rollouts#1](https://github.com/argoproj/argo-rollouts/issues/1) | no steps |" in text


def test_records_are_read_as_they_were_added(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    assert read_records(file) == []
    both = [record("v1.9.3", "reproduced"), record("v1.10.2", "not reproduced")]
    for each in both:
        add_record(each, file)
    assert read_records(file) == both


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text('{"case": "x"}\n')
    with pytest.raises(FiredampError, match=r"records\.jsonl, line 1"):
        read_records(file)
