"""Runs tests with one mutant switched on, in a session and cluster of their own, until one fails."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.mutants.plugin import PLANTED
from e2e.mutants.records import CAUGHT, MISSED, UNKNOWN
from fixtures.compare.inside import notes
from fixtures.compare.inside.notes import VOID
from fixtures.compare.session import begin
from fixtures.core.errors import FiredampError
from fixtures.plugin.needs_routers import ON_THE_FIRST
from fixtures.plugin.results import Result

NONE = 0
"""The number of no mutant."""
# A row is a node id without parameters: that of the first router.
_WHERE = ("--cluster-provider=native", *ON_THE_FIRST)
_PLUGINS = ("-p", "e2e.mutants.plugin", "-p", "fixtures.compare.inside.plugin", *_WHERE)


@dataclass(frozen=True)
class Outcome:
    """What tests made of a mutant.

    Attributes:
        verdict: `caught`, `missed` or `unknown`.
        test: The node id of the test that failed; "" if none did.
        why: The first line of its failure, or why nothing is known.
        tests: How many tests ran.
        seconds: How long all of it took.
    """

    verdict: str
    test: str
    why: str
    tests: int
    seconds: float


def run(mutant: int, tests: Sequence[str], folder: Path, *options: str) -> Outcome:
    """Run tests with a mutant until one fails.

    Args:
        mutant: Its number; NONE for a controller with all mutants and none of them switched on.
        tests: Node ids.
        folder: A folder that is not there yet, for what pytest leaves.
        options: Further options of pytest; `-x` unless the outcome of each test is wanted.
    """
    began = time.monotonic()
    session = begin(f"mutant {mutant}", {}, tests, folder, [*_PLUGINS, f"--mutant={mutant}", *options])
    try:
        session.wait()
    finally:
        session.end()
    try:
        results = session.results()
    except FiredampError as error:
        return Outcome(UNKNOWN, "", error.message.partition("\n")[0], 0, time.monotonic() - began)
    noted = list(notes.read(folder))
    void = {each.test for each in noted if each.what == VOID}
    is_planted = any(each.what == PLANTED for each in noted)
    seconds = time.monotonic() - began
    return outcome_of(results, void, is_planted=is_planted, expected=len(tests), seconds=seconds)


def outcome_of(
    results: Sequence[Result], void: Collection[str], *, is_planted: bool, expected: int, seconds: float
) -> Outcome:
    """What the results of tests say of a mutant.

    Args:
        results: The results, until a test failed.
        void: Tests whose failure says nothing about the product.
        is_planted: Whether the cluster was there when the controller was to be replaced.
        expected: How many tests were to run.
        seconds: How long all of it took.
    """
    failed = next((each for each in results if each.outcome == "failed"), None)
    if failed:
        # What fails before the controller is replaced, or for want of load, says nothing about the mutant.
        verdict = CAUGHT if is_planted and failed.test not in void else UNKNOWN
        return Outcome(verdict, failed.test, failed.reason, len(results), seconds)
    passed = sum(each.outcome == "passed" for each in results)
    if passed < expected:
        return Outcome(UNKNOWN, "", f"only {passed} of {expected} tests passed", len(results), seconds)
    return Outcome(MISSED, "", "", len(results), seconds)
