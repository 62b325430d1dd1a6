"""Tells the answers of an app's broken version from those of its good ones, which must be without a fault."""

from __future__ import annotations

from collections.abc import Collection

from fixtures.judge.verdicts import ENOUGH
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
