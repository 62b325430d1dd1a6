"""What the scenarios of aborted canaries share: the release, and which share of requests it may have got."""

from __future__ import annotations

from itertools import pairwise

from e2e.bounds import CONVERGED, FAILURE_LIMIT, PODS
from fixtures.judge.bounds import failed, reconciled
from fixtures.judge.convergence import assert_gone, changes
from fixtures.judge.release.release import Release, release_of
from fixtures.judge.verdicts import ENOUGH, Window, assert_at_most, requests
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, ServiceRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial
from loadgen.statistics import Share

_FAILED = failed(failure_limit=FAILURE_LIMIT)


def abort_of_5xx(app: Trial, *, workers: str | None = None) -> dict[str, object]:
    """Release a version that answers 5xx; asserts that its analysis aborts it, and that it is gone then.

    Args:
        app: The trial.
        workers: What sends the load; see `Trial.traffic`.

    Returns:
        The figures of the abort, by what each is.
    """
    release = release_and_abort(app, "1.2-5xx", workers=workers)
    seen = release.milestones
    records = app.records()

    assert seen.first_bad is not None, "no client had a bad answer, so this proved nothing"
    assert seen.analysis_failed is not None, "it was aborted, but not by its analysis"
    life = share_since_its_first_response(records, release, weight=5)
    gone = assert_gone(records, stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
    strays = [each for each in requests(records, ACTIVE) if each.failed and each.version != "1.2-5xx"]
    assert not strays, f"{len(strays)} requests failed without it, first with {strays[0].status}"
    assert seen.withdrawn is not None
    assert seen.last_response is not None
    to_failed, to_0 = seen.analysis_failed - seen.first_bad, seen.withdrawn - seen.first_bad
    lingered = seen.last_response - seen.withdrawn
    return {
        "deploy_to_first_response": PODS.judged("from deploy to answer", release.excerpt.at(seen.first_bad)),
        "first_bad_to_AnalysisRun_Failed": _FAILED.judged("from bad answer to AnalysisRun Failed", to_failed),
        "first_bad_to_VirtualService_0": (_FAILED + reconciled()).judged("from bad answer to weight 0", to_0),
        "VirtualService_0_to_last_response": CONVERGED.judged("from weight 0 to the last answer", lingered),
        "failed_measurements": _failed_measurements(records),
        "responses_after_VirtualService_0": release.after_withdrawal,
        "bad_responses_of_all": release.bad,
        "share_since_its_first_response": life,
        "after_convergence": gone,
        "canary_Service_switches_after_abort": selector_switches(records, "payments-canary", seen.aborted),
    }


def _failed_measurements(records: Recording) -> str:
    """How many measurements of the metric that failed were bad: its limit, and the one beyond it."""
    (most,) = {run.failed for run in records.present(AnalysisRecord) if run.phase == "Failed"}
    assert most == FAILURE_LIMIT + 1, f"{most} measurements failed, with failureLimit {FAILURE_LIMIT}"
    return f"{most} (failureLimit {FAILURE_LIMIT})"


def release_and_abort(
    app: Trial, version: str, *, within: float = 60.0, workers: str | None = None
) -> Release:
    """Release a bad version under traffic, and wait for its abort and 1,000 requests after that."""
    with app.traffic(150, workers=workers):
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
