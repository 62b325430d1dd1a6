from __future__ import annotations

from e2e.mutants.reach import Reached
from e2e.mutants.records import CAUGHT, MISSED, UNKNOWN
from e2e.mutants.rows import ADDED, ROWS, reached_first, touching
from e2e.mutants.running import outcome_of
from fixtures.plugin.results import Result

PASSED = Result("test_x.py::test_one")
FAILED = Result("test_x.py::test_two", outcome="failed", reason="weight 0: not within 15 s")
SKIPPED = Result("test_x.py::test_two", outcome="skipped", reason="no browser")


def test_a_failed_test_catches_the_mutant() -> None:
    outcome = outcome_of([PASSED, FAILED], set(), is_planted=True, expected=3, seconds=60)
    assert (outcome.verdict, outcome.test, outcome.tests) == (CAUGHT, FAILED.test, 2)
    assert outcome.why == "weight 0: not within 15 s"


def test_a_failure_for_want_of_load_says_nothing() -> None:
    assert outcome_of([FAILED], {FAILED.test}, is_planted=True, expected=1, seconds=60).verdict == UNKNOWN


def test_a_failure_before_the_controller_is_replaced_says_nothing() -> None:
    assert outcome_of([FAILED], set(), is_planted=False, expected=1, seconds=60).verdict == UNKNOWN


def test_only_a_test_that_passed_misses_the_mutant() -> None:
    assert outcome_of([PASSED], set(), is_planted=True, expected=1, seconds=60).verdict == MISSED
    for results in ([PASSED, SKIPPED], [PASSED], []):
        outcome = outcome_of(results, set(), is_planted=True, expected=2, seconds=60)
        assert (outcome.verdict, outcome.why) == (UNKNOWN, f"only {len(results[:1])} of 2 tests passed")


def test_the_tests_that_are_about_a_mutant_run_first() -> None:
    reached = [Reached("all", (1, 2, 3)), Reached("none", (2,)), Reached("some", (1, 2))]
    assert touching(reached, 1) == ["some", "all"]
    assert touching([*reached, Reached(ADDED[0], (1, 2, 3, 4))], 1) == [ADDED[0], "some", "all"]


def test_the_first_rows_alone_decide_what_is_drawn() -> None:
    first = Reached(f"{ROWS[0]}[by-subset]", (1,))
    assert reached_first([first, Reached(ADDED[0], (2,))]) == [first]
