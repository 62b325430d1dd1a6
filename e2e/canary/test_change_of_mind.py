"""During a canary, a newer version is deployed, or the stable version again."""

from __future__ import annotations

import pytest

from e2e.bounds import PODS
from e2e.canary.walking import steps_since
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import reconciled
from fixtures.judge.convergence import assert_alone, assert_gone, windows
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, versions_by_hash
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import RolloutRecord
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

# It answers everything with 200, so that every failed request is the change's own.
_SUPERSEDED = "1.2-slow"
# Answers after the slowest router has applied the weights, until the trial ends.
_ENOUGH = 600
_PAUSED = all_of(paused_at(1), weight_is(50))


@pytest.mark.every_router
@pytest.mark.scenario("can-11")
def test_a_newer_version_supersedes_the_canary_and_alone_is_promoted(
    trial: StartTrial, numbers: Report, router: str
) -> None:
    with trial("canary", variant=combined(without_analysis, canary_steps(50, None))) as app:
        with app.traffic(100):
            app.deploy(_SUPERSEDED)
            app.wait(_PAUSED, within=45)
            app.holds(weight_is(50), for_=3)
            deployed_at = app.timeline.clock()
            app.deploy("1.1")
            app.wait(_PAUSED, within=45)
            app.promote()
            app.wait(promoted("1.1"), within=60)
            took = app.timeline.clock() - deployed_at
            app.stays_promoted("1.1")
        records = app.records()

        answered = assert_no_errors(records, stream=ACTIVE)
        assert _stable_versions(records) == ["1.0", "1.1"]
        assert steps_since(records, deployed_at)[:2] == [1, 0], (
            "the newer version did not begin at the first step"
        )
        without = _without(records, router)
        gone = assert_exactly_none(
            records, stream=ACTIVE, version=_SUPERSEDED, window=without, at_least=_ENOUGH
        )
        share = assert_alone(records, stream=ACTIVE, version="1.1")
    numbers(
        newer_deploy_to_promoted=(PODS + PODS + reconciled()).judged("the newer version", took),
        superseded_version_after_convergence=gone,
        share_of_the_newest=share,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-12")
def test_the_stable_version_again_returns_at_once_without_steps(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=combined(without_analysis, canary_steps(50, None, 75, None))) as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(_PAUSED, within=45)
            app.holds(weight_is(50), for_=3)
            returned_at = app.timeline.clock()
            app.deploy("1.0")
            app.wait(all_of(promoted("1.0"), weight_is(0)), within=30)
            took = app.timeline.clock() - returned_at
            app.stays(all_of(promoted("1.0"), weight_is(0)), weights={"1.0": 100})
        records = app.records()

        assert steps_since(records, returned_at) == [1, 4], "it went through the steps"
        claimed = [each.weights.get("1.1", 0) for each in windows(records, stream=ACTIVE)]
        assert claimed == [50, 0], f"the claim went through {claimed}"
        assert app.stable_pods() == before, "the stable pods were touched"
        gone = assert_gone(records, stream=ACTIVE, version="1.1", allow=CONVERGENCE_SECONDS)
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        stable_again_to_Healthy_at_0=reconciled().judged("the way back", took),
        after_convergence=gone,
        failed_requests=f"0 of {answered:,}",
    )


def _without(records: Recording, router: str) -> Window:
    """From when on the data plane gave nothing to the superseded version.

    The weight 0 between two versions lasts as long as a pod takes to start. Other routers than Istio may not
    have applied it by then, and go on with the superseded version until the newer one has a weight.
    """
    settled = windows(records, stream=ACTIVE, allow=CONVERGENCE_SECONDS)
    last = max(place for place, each in enumerate(settled) if _SUPERSEDED in each.weights)
    return Window(settled[last + 1].window.start + (CONVERGENCE_SECONDS if router else 0))


def _stable_versions(records: Recording) -> list[str]:
    """The versions that were stable, in their order."""
    named = versions_by_hash(records)
    stable = [named[r.stable] for r in records.of(RolloutRecord) if r.stable]
    return list(dict.fromkeys(stable))
