"""A version that crashes at boot on a plain Deployment: probe and maxUnavailable decide what clients see."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.types import Report, StartTrial
from e2e.variants import Variant
from fixtures.cluster.kube import Object
from fixtures.rollout.conditions import deployment_available
from fixtures.rollout.expectation import not_
from fixtures.rollout.records import tag_of
from fixtures.rollout.timeline import Record, of_kind
from fixtures.rollout.verdicts import assert_no_errors
from fixtures.trial import ACTIVE

CRASH = "1.2-crash"
_PODS = 3
# Boots, crashes, is restarted at once, crashes, and again after a back-off of 10 s.
_WATCH_SECONDS = 20.0


@pytest.mark.scenario("base-2")
@pytest.mark.parametrize("unavailable", [0, 1])
def test_a_readiness_probe_spares_the_clients_and_max_unavailable_says_how_many_pods_are_left(
    trial: StartTrial, numbers: Report, unavailable: int
) -> None:
    with trial("deployment", replicas=_PODS, variant=_deployment(unavailable=unavailable)) as app:
        with app.traffic(100):
            app.deploy(CRASH)
            app.holds(not_(deployment_available(CRASH)), for_=_WATCH_SECONDS)
        records = app.records()

        assert _restarts(records) > 0, "the version did not crash, so this proved nothing"
        answered = assert_no_errors(records, lane=ACTIVE)
        left = len(app.stable_pods())
        assert left == _PODS - unavailable, f"{left} old pods are left"
    numbers(
        **{
            "maxUnavailable": unavailable,
            "old pods left": f"{left} of {_PODS}",
            "failed requests": f"0 of {answered:,}",
        }
    )


def _deployment(*, unavailable: int) -> Variant:
    def change(objects: list[Object]) -> None:
        strategy = variants.found(objects, "Deployment")["spec"]["strategy"]
        strategy["rollingUpdate"]["maxUnavailable"] = unavailable

    return change


def _restarts(records: list[Record]) -> int:
    return max(int(pod["restarts"]) for pod in of_kind(records, "pod") if tag_of(pod["image"]) == CRASH)
