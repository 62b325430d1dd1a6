"""A version that is only slow is a broken version too."""

from __future__ import annotations

import pytest

from e2e.canary.aborting import release_and_abort, share_since_its_first_response
from e2e.types import Report, StartTrial
from fixtures.judge.bounds import failed, reconciled
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import assert_no_errors, requests
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS
from loadgen.queries import latency_ms

SLOW = "1.2-slow"
# Of the AnalysisTemplate latency-p99.
_LIMIT_SECONDS = 0.5
# `failureLimit` of latency-p99.
_FAILED = failed(failure_limit=5)


@pytest.mark.scenario("can-3")
def test_a_slow_version_is_aborted_by_its_p99_alone_and_gone(trial: StartTrial, numbers: Report) -> None:
    with trial("canary") as app:
        release = release_and_abort(app, SLOW)
        seen = release.milestones
        records = app.records()

        assert seen.analysis_failed is not None, "it was aborted, but not by its analysis"
        assert _failed_metrics(records) == {"latency-p99"}
        answered = assert_no_errors(records, stream=ACTIVE)
        slow, good = _p99_seconds(records, SLOW), _p99_seconds(records, "1.0")
        assert slow > _LIMIT_SECONDS, f"clients saw a p99 of {slow:.2f} s"
        life = share_since_its_first_response(records, release, weight=5)
        gone = assert_gone(records, stream=ACTIVE, version=SLOW, allow=CONVERGENCE_SECONDS)
    assert seen.first_response is not None
    assert seen.withdrawn is not None
    to_failed, to_0 = seen.analysis_failed - seen.first_response, seen.withdrawn - seen.first_response
    numbers(
        first_response_to_AnalysisRun_Failed=_FAILED.judged("from answer to AnalysisRun Failed", to_failed),
        first_response_to_VirtualService_0=(_FAILED + reconciled()).judged("from answer to weight 0", to_0),
        p99_that_clients_saw=f"{slow:.2f} s of {SLOW}, {good:.2f} s of 1.0 (limit {_LIMIT_SECONDS} s)",
        slow_responses_of_all=release.served,
        share_since_its_first_response=life,
        after_convergence=gone,
        failed_requests=f"0 of {answered:,}",
    )


def _failed_metrics(records: Recording) -> set[str | None]:
    return {run.metric for run in records.present(AnalysisRecord) if run.phase == "Failed"}


def _p99_seconds(records: Recording, version: str) -> float:
    return latency_ms((r for r in requests(records, ACTIVE) if r.version == version), 0.99) / 1000
