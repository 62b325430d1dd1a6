"""What became of a row that ran with a fault, or of one that ran without."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from e2e.mutations.plugin import NONE


class RowStatus(Enum):
    """What became of the row."""

    CAUGHT = "caught"
    MISSED = "missed"
    GREEN = "green"
    RED = "red without a fault"
    BROKEN = "did not run"


@dataclass(frozen=True)
class RowRun:
    """One run of one row.

    Attributes:
        fault: Which was planted; NONE for the control.
        row: The test, by node id.
        status: What became of it.
        why: The first line of what it failed with.
        seconds: How long the test took.
    """

    fault: str
    row: str
    status: RowStatus
    why: str
    seconds: float

    @property
    def is_as_it_should(self) -> bool:
        """Whether the fault was caught, or the control is green."""
        return self.status in {RowStatus.CAUGHT, RowStatus.GREEN}


def row_run_of(fault: str, row: str, junit: Path) -> RowRun:
    """Read what pytest wrote of a run of one test."""
    cases = list(ET.parse(junit).getroot().iter("testcase")) if junit.exists() else []  # noqa: S314 - our own
    if len(cases) != 1:
        return RowRun(fault, row, RowStatus.BROKEN, "pytest ran no such test", 0.0)
    (case,) = cases
    seconds = float(case.get("time", "0"))
    # An error is one of a fixture, before or after the test: it says nothing of what the test sees.
    for other in ("error", "skipped"):
        if (found := case.find(other)) is not None:
            return RowRun(fault, row, RowStatus.BROKEN, _first_line(found), seconds)
    failed = case.find("failure")
    if failed is None:
        return RowRun(
            fault, row, RowStatus.GREEN if fault == NONE else RowStatus.MISSED, "it passed", seconds
        )
    status = RowStatus.RED if fault == NONE else RowStatus.CAUGHT
    return RowRun(fault, row, status, _first_line(failed), seconds)


def _first_line(found: ET.Element) -> str:
    lines = (found.get("message") or "").strip().splitlines()
    # Without the module of the error's class.
    return re.sub(r"^(?:\w+\.)+(?=\w+:)", "", lines[0]) if lines else ""
