"""The planted faults that `firedamp compare` has to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2e.collected import collected
from e2e.mutations.compared import PLANTED, line
from e2e.mutations.faults import by_name
from fixtures.compare.comparison import Comparison
from fixtures.compare.differences import Difference
from fixtures.compare.observed import Subject
from fixtures.compare.sides import Side

NOTHING = Comparison(Side("A", {}, "none"), Side("B", {}, "planted"), tests=1, facts=1, measures=0, runs=3)


def test_each_is_a_fault_of_the_controller() -> None:
    assert len({each.fault for each in PLANTED}) == len(PLANTED) == 8
    assert all(by_name(each.fault).edits for each in PLANTED)


@pytest.mark.xdist_group("collected")
def test_every_test_is_there() -> None:
    assert {each.path for each in PLANTED if "::" in each.path} <= {each.test for each in collected()}


def test_a_fault_is_found_only_if_a_row_names_it() -> None:
    planted = PLANTED[0]
    assert line(planted, NOTHING, 60).startswith("NOT FOUND: abort-leaves-weight")
    outcome = Difference(Subject("x.py::test_a", "", "outcome"), "passed", "failed", "", 3)
    other = replace(NOTHING, differences=[outcome], reasons={"B": {"x.py::test_a": "no cluster"}})
    assert line(planted, other, 60).startswith("NOT FOUND")
    named = replace(other, reasons={"B": {"x.py::test_a": "payments-canary has weight 5, not 0"}})
    assert line(planted, named, 60).startswith("found: abort-leaves-weight")
