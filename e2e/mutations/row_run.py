"""The result of a row (a test) that ran with a fault, or without one as a control."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from msgspec import Struct

from e2e.mutations import judge_alone
from e2e.mutations.judge_alone import JudgeAlone
from e2e.mutations.plugin import NONE
from fixtures.core.documents import record_lines
from fixtures.core.schema import shaped

JUNIT = "junit.xml"
_HINT = "remove the line; its row then counts as not run"


class RowStatus(Enum):
    """How the run of a row ended."""

    CAUGHT = "caught"
    MISSED = "missed"
    GREEN = "green"
    RED = "red without a fault"
    BROKEN = "did not run"


class RowRun(Struct, frozen=True, omit_defaults=True):
    """One run of one row.

    Attributes:
        fault: The fault that was planted; NONE for the control.
        row: The node id of the test.
        status: How the run ended.
        why: The first line of the failure.
        seconds: How long the test took.
        alone: What the judge alone says of its trials; None if none was judged.
        at: When it ended: "2026-11-30T15:15:00Z"; "" if that was not recorded.
    """

    fault: str
    row: str
    status: RowStatus
    why: str
    seconds: float
    alone: JudgeAlone | None = None
    at: str = ""

    @property
    def is_as_it_should(self) -> bool:
        """Whether the fault was caught or, for the control, the test passed."""
        return self.status in {RowStatus.CAUGHT, RowStatus.GREEN}


def row_run_of(fault: str, row: str, folder: Path) -> RowRun:
    """Read what pytest and the plugin wrote about a run of one test into its folder."""
    status, why, seconds = _outcome(fault, folder / JUNIT)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return RowRun(fault, row, status, why, seconds, judge_alone.read(folder), now)


def read_runs(file: Path) -> list[RowRun]:
    """The last run of each row with each fault, in the order in which they were first run.

    Raises:
        FiredampError: A line is not a record; the text says which.
    """
    runs = record_lines.read_records(file, lambda line, where: shaped(line, RowRun, where, hint=_HINT))
    return list({(run.fault, run.row): run for run in runs}.values())


def _outcome(fault: str, junit: Path) -> tuple[RowStatus, str, float]:
    cases = list(ET.parse(junit).getroot().iter("testcase")) if junit.exists() else []  # noqa: S314 - our own
    if len(cases) != 1:
        return RowStatus.BROKEN, "pytest ran no such test", 0.0
    (case,) = cases
    seconds = float(case.get("time", "0"))
    # An error comes from a fixture, before or after the test: it says nothing about what the test notices.
    for other in ("error", "skipped"):
        if (element := case.find(other)) is not None:
            return RowStatus.BROKEN, _first_line(element), seconds
    failed = case.find("failure")
    if failed is None:
        return RowStatus.GREEN if fault == NONE else RowStatus.MISSED, "it passed", seconds
    return RowStatus.RED if fault == NONE else RowStatus.CAUGHT, _first_line(failed), seconds


def _first_line(element: ET.Element) -> str:
    lines = (element.get("message") or "").strip().splitlines()
    # Without the module name before the error's class.
    return re.sub(r"^(?:\w+\.)+(?=\w+:)", "", lines[0]) if lines else ""
