"""The result of a row (a test) that ran with a fault, or without one as a control."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from e2e.mutations.plugin import NONE


class RowStatus(Enum):
    """How the run of a row ended."""

    CAUGHT = "caught"
    MISSED = "missed"
    GREEN = "green"
    RED = "red without a fault"
    BROKEN = "did not run"


@dataclass(frozen=True)
class RowRun:
    """One run of one row.

    Attributes:
        fault: The fault that was planted; NONE for the control.
        row: The node id of the test.
        status: How the run ended.
        why: The first line of the failure.
        seconds: How long the test took.
    """

    fault: str
    row: str
    status: RowStatus
    why: str
    seconds: float

    @property
    def is_as_it_should(self) -> bool:
        """Whether the fault was caught or, for the control, the test passed."""
        return self.status in {RowStatus.CAUGHT, RowStatus.GREEN}


def row_run_of(fault: str, row: str, junit: Path) -> RowRun:
    """Read the JUnit file that pytest wrote about a run of one test."""
    cases = list(ET.parse(junit).getroot().iter("testcase")) if junit.exists() else []  # noqa: S314 - our own
    if len(cases) != 1:
        return RowRun(fault, row, RowStatus.BROKEN, "pytest ran no such test", 0.0)
    (case,) = cases
    seconds = float(case.get("time", "0"))
    # An error comes from a fixture, before or after the test: it says nothing about what the test notices.
    for other in ("error", "skipped"):
        if (element := case.find(other)) is not None:
            return RowRun(fault, row, RowStatus.BROKEN, _first_line(element), seconds)
    failed = case.find("failure")
    if failed is None:
        return RowRun(
            fault, row, RowStatus.GREEN if fault == NONE else RowStatus.MISSED, "it passed", seconds
        )
    status = RowStatus.RED if fault == NONE else RowStatus.CAUGHT
    return RowRun(fault, row, status, _first_line(failed), seconds)


def _first_line(element: ET.Element) -> str:
    lines = (element.get("message") or "").strip().splitlines()
    # Without the module name before the error's class.
    return re.sub(r"^(?:\w+\.)+(?=\w+:)", "", lines[0]) if lines else ""
