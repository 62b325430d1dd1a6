"""What the scenarios of aborted canaries share: the release, and which share of requests it may have got."""

from __future__ import annotations

from itertools import pairwise

from fixtures.judge.convergence import changes
from fixtures.judge.release.release import Release, release_of
from fixtures.judge.verdicts import ENOUGH, Window, assert_at_most, requests
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ServiceRecord
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import Share


def release_and_abort(app: Trial, version: str, *, within: float = 60.0) -> Release:
    """Release a bad version under traffic, and wait for its abort and 1,000 requests after that."""
    with app.traffic(150):
        app.deploy(version)
        app.wait_contained(version, within=within)
        app.stays_contained(version)
    return release_of(app.records(), version=version, stream=ACTIVE)


def share_since_its_first_response(records: Recording, release: Release, *, weight: float) -> Share:
    """The version's share of the 1,000 requests after its first response, or of all until its last response.

    Asserts that it is no more than the weight allows. It may be less, if the version was withdrawn before
    1,000 requests. If the analysis had its data so late that the canary got to the next weight, only requests
    before that count.
    """
    version, seen = release.version, release.milestones
    assert seen.first_response is not None, f"{version} never answered a client"
    assert seen.last_response is not None
    since = requests(records, ACTIVE, Window(seen.first_response)).answered
    assert len(since) >= ENOUGH, f"only {len(since):,} responses after the first of {version}"
    higher = [change.t for change in changes(records) if change.after.get(version, 0) > weight]
    life = Window(seen.first_response, min([max(seen.last_response, since[ENOUGH - 1].t), *higher]))
    return assert_at_most(records, stream=ACTIVE, version=version, weight=weight, window=life)


def selector_switches(records: Recording, service: str, after: float | None) -> int:
    """How often a Service was switched to another pod template hash after a moment."""
    hashes = [r.hash for r in records.of(ServiceRecord) if r.name == service and r.t >= (after or 0)]
    return sum(a != b for a, b in pairwise(hashes))
