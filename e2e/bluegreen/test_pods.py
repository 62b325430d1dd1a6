"""How many pods each version has during a release, and what clients get in that time."""

from __future__ import annotations

import pytest

from e2e.bluegreen.strategy import blue_green
from e2e.bluegreen.switching import assert_clean, ready_pods_behind, settles, stays_active, used_at
from e2e.bounds import PODS
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, scaled_to
from fixtures.conditions.expectation import Condition, all_of
from fixtures.judge.bounds import reconciled
from fixtures.judge.switches import switches
from fixtures.judge.verdicts import assert_no_errors
from fixtures.trial.trial import ACTIVE, Trial

# Far longer than any of these scenarios.
_HOUR = 3600


@pytest.mark.scenario("bg-8")
def test_a_small_preview_grows_to_full_size_before_it_becomes_active(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("bluegreen", replicas=3, variant=blue_green(previewReplicaCount=1)) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(paused_at(), within=90)
            settles(app, all_of(scaled_to(3, "1.0"), scaled_to(1, "1.1")), for_=11)
            app.promote()
            app.wait(promoted("1.1"), within=120)
            app.wait(scaled_to(3, "1.1"), within=60)
            stays_active(app, "1.1")
        records = app.records()

        (switch,) = switches(records, stream=ACTIVE)
        ready = ready_pods_behind(records, "1.1")
        assert ready == 3, f"clients were sent to {ready} of 3 pods"
        assert_clean(records, switch, promoted=used_at(records, "promote"))
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        pods_of_the_preview="1 until promoted, 3 ready at the switch",
        promote_to_switch=PODS.judged("promote", switch.t - used_at(records, "promote")),
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-8")
def test_the_revision_limit_keeps_that_many_old_versions(trial: StartTrial, numbers: Report) -> None:
    variant = blue_green(
        scaleDownDelaySeconds=_HOUR, scaleDownDelayRevisionLimit=1, autoPromotionEnabled=True
    )
    with trial("bluegreen", version="1.2-slow", variant=variant) as app:
        _release(app, "1.0")
        settles(app, _all_pods("1.2-slow", "1.0"), for_=5)
        with app.traffic(100):
            _release(app, "1.1")
            took = app.wait(scaled_to(0, "1.2-slow"), within=90)
            settles(app, _all_pods("1.0", "1.1"), for_=8)
        records = app.records()

        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        pods="first version 0, second 2, third 2 (scaleDownDelayRevisionLimit 1)",
        promoted_to_oldest_gone=reconciled().judged("the oldest version", took),
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-8")
def test_a_delay_of_0_seconds_keeps_old_versions_for_ever(trial: StartTrial, numbers: Report) -> None:
    """Contrary to its words: https://github.com/argoproj/argo-rollouts/issues/1992."""
    variant = blue_green(scaleDownDelaySeconds=0, autoPromotionEnabled=True)
    with trial("bluegreen", version="1.2-slow", variant=variant) as app:
        _release(app, "1.0")
        with app.traffic(100):
            _release(app, "1.1")
            settles(app, _all_pods("1.2-slow", "1.0", "1.1"), for_=15)
        records = app.records()

        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        pods="first version 2, second 2, third 2, 15 s after the last promotion",
        failed_requests=f"0 of {answered:,}",
    )


def _all_pods(*versions: str) -> Condition:
    return all_of(*(scaled_to(2, version) for version in versions))


def _release(app: Trial, version: str) -> None:
    app.deploy(version)
    app.wait(promoted(version), within=120)
