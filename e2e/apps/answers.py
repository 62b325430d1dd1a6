"""Tells what a broken version of an app does: its answers, and how often its containers start."""

from __future__ import annotations

from collections.abc import Collection

from fixtures.conditions.expectation import Assessment, Condition, met, pending
from fixtures.judge.verdicts import ENOUGH
from fixtures.timeline.state import State
from loadgen.records import Request
from loadgen.requests import Requests


def of_the_bad_version(sent: Requests, version: str, *, good: Collection[str]) -> list[Request]:
    """Return the requests that the bad version answered.

    Args:
        sent: The requests that clients sent.
        version: The bad version.
        good: The good versions.

    Raises:
        AssertionError: A request to a good version failed, or there were too few of these for a verdict.
    """
    well = [each for each in sent if each.version in good]
    assert len(well) >= ENOUGH, f"only {len(well):,} requests to good versions"
    failed = [each for each in well if each.failed]
    assert not failed, f"{len(failed)} requests to good versions failed, first with {failed[0].status}"
    return [each for each in sent if each.version == version]


def seen(tag: str, *, restarts: int = 0) -> Condition:
    """The condition that a pod of a version exists, and that its containers were started again so often."""

    def check(state: State) -> Assessment:
        most = max((each.restarts for each in state.pods_of(tag)), default=-1)
        return (met if most >= restarts else pending)(f"{tag}: {most} restarts")

    return Condition(f"a pod of {tag} with {restarts} restarts", check)
