"""A release by a commit: a good version is promoted, a bad one is aborted until it is reverted."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from e2e.canary.aborting import share_since_its_first_response
from e2e.gitops.ci import deploy_by_ci
from e2e.gitops.variants import available_after, canary_steps, judged_by
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import aborted, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.gitops.repository import Commit
from fixtures.judge.convergence import assert_gone, windows
from fixtures.judge.release.release import release_of
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.report.numbers import abort_numbers, delivery_numbers
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ApplicationRecord, CommitRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

# Argo CD looks at a change of the Rollout when it gets to it, which must be before the next one.
_WALK = (canary_steps(5, "14s", 50, "14s"), judged_by("success-rate"), available_after(5))


@pytest.mark.scenario("git-2")
def test_a_tag_that_ci_pushes_walks_through_its_steps(
    gitops_trial: StartGitOpsTrial, numbers: Report, tmp_path: Path
) -> None:
    with gitops_trial("canary", patches=_WALK) as app:
        healthy = app.application.health_is("Healthy")
        app.wait(healthy, within=30)
        with app.traffic():
            with app.deploying("1.1"):
                began = app.timeline.clock()
                deploy_by_ci(app.gitops, app.repository.url, "1.1", tmp_path)
                commit = app.repository.seen(began)
            app.wait(app.application.synced(commit), within=60)
            took = app.wait(promoted("1.1"), within=120)
            app.wait(healthy, within=30)
            app.holds(all_of(promoted("1.1"), healthy, app.application.synced(commit)), for_=8)
        records = app.records()

        seen = _healths(records, commit)
        # In between in any order: Argo CD may look only when a short time of progress is over.
        assert set(seen) == {"Healthy", "Progressing", "Suspended"}, seen
        assert (seen[0], seen[-1]) == ("Healthy", "Healthy"), seen
        assert "Healthy" not in seen[1:-1], seen
        shares = {
            weight: assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window)
            for settled in windows(records, stream=ACTIVE)
            if (weight := settled.weights.get("1.1"))
        }
        assert shares.keys() == {5, 50, 100}
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(**delivery_numbers(release_of(records, version="1.1", stream=ACTIVE)))
    numbers(**{f"share at {weight}%": share for weight, share in shares.items()})
    numbers(
        Application=" > ".join(seen), synced_to_promoted=f"{took:.1f} s", failed_requests=f"0 of {answered:,}"
    )


@pytest.mark.smoke
@pytest.mark.scenario("git-3")
def test_a_bad_tag_is_aborted_and_not_brought_back_until_git_is_reverted(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary") as app:
        degraded = app.application.health_is("Degraded")
        out = all_of(aborted(version="1.2-5xx"), weight_is(0))
        with app.traffic():
            bad = app.commit(image="1.2-5xx")
            app.wait(app.application.synced(bad), within=60)
            app.wait(aborted(version="1.2-5xx"), within=45)
            app.wait(all_of(out, degraded), within=30)
            # Each would have Argo CD apply what Git says, if it thought that this was not so.
            app.application.refresh(hard=True)
            app.holds(out, for_=CONVERGENCE_SECONDS + 7)
            app.wait(all_of(out, degraded, app.application.synced(bad)), within=30)
            latest = app.repository.history()[0]
            reverted_at = app.timeline.clock()
            reverted = app.revert()
            app.wait(app.application.synced(reverted), within=60)
            app.wait(all_of(promoted("1.0"), app.application.health_is("Healthy")), within=60)
            back = app.timeline.clock() - reverted_at
        records = app.records()

        assert (latest.revision, latest.image) == (bad.revision, "1.2-5xx"), "Git no longer named the bad tag"
        release = release_of(records, version="1.2-5xx", stream=ACTIVE)
        assert release.milestones.analysis_failed is not None, "it was aborted, but not by its analysis"
        life = share_since_its_first_response(records, release, weight=5)
        gone = assert_gone(records, stream=ACTIVE, version="1.2-5xx", allow=CONVERGENCE_SECONDS)
    numbers(**delivery_numbers(release))
    numbers(**{f"{what}, since the commit": after for what, after in abort_numbers(release).items()})
    numbers(
        bad_responses_of_all=release.bad,
        share_since_its_first_response=life,
        after_convergence=gone,
        revert_to_Healthy=f"{back:.1f} s",
    )


def _healths(records: Recording, commit: Commit) -> list[str]:
    """The healths that the Application went through from a commit on, with the one before."""
    (pushed,) = [record.t for record in records.of(CommitRecord) if record.revision == commit.revision]
    states = records.of(ApplicationRecord)
    before = [record for record in states if record.t < pushed][-1:]
    later = [record for record in states if record.t >= pushed]
    return [health for health, _ in groupby(record.health for record in [*before, *later])]
