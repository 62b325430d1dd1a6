"""The conditions of a Rollout's status, for which `kubectl wait` waits, say what is so."""

from __future__ import annotations

import pytest

from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, ready_after, spec_of, strategy_of, without_analysis
from fixtures.conditions.conditions import paused_at, promoted
from fixtures.core.retry import PendingError
from fixtures.kube.client import Object
from fixtures.kube.kinds import ROLLOUT
from fixtures.kube.wait import wait_for
from fixtures.trial.trial import Trial

_DEADLINE, _READY_AFTER = 16, 6
_AT_ONCE = 15
_COMPLETE = {"Healthy": "True", "Completed": "True", "Progressing": "NewReplicaSetAvailable"}
_PAUSED = {"Healthy": "False", "Completed": "False", "Progressing": "RolloutPaused"}


@pytest.mark.scenario("can-20")
@pytest.mark.parametrize("steps", [(50, None), ()], ids=["steps", "no-steps"])
def test_the_conditions_say_what_is_so_before_a_release_and_in_it_and_long_after_it(
    trial: StartTrial, numbers: Report, steps: tuple[int | None, ...]
) -> None:
    with trial(
        "canary", variant=combined(without_analysis, canary_steps(*steps), _deadline, _old_pods_end_at_once)
    ) as app:
        _wait(app, _COMPLETE)
        since = _transition(app, "Available")
        app.deploy("1.1")
        if steps:
            app.wait(paused_at(1), within=60)
            _wait(app, _PAUSED)
            app.promote()
        app.wait(promoted("1.1"), within=60)
        _wait(app, _COMPLETE)
        app.holds(promoted("1.1"), for_=_DEADLINE + 3)
        _wait(app, _COMPLETE)
        assert _transition(app, "Available") == since, "it was available all the time"
    numbers(after_its_deadline=f"Healthy, {_DEADLINE + 3} s after the promotion")


@pytest.mark.scenario("can-20")
def test_a_release_that_goes_on_slowly_does_not_reach_its_deadline(
    trial: StartTrial, numbers: Report
) -> None:
    # Each of 4 pods takes less than the deadline, and all of them together take more.
    change = combined(
        without_analysis, canary_steps(), _one_pod_at_a_time, ready_after(_READY_AFTER), _deadline
    )
    with trial("canary", replicas=4, variant=change) as app:
        began = app.timeline.clock()
        app.deploy("1.1")
        app.wait(promoted("1.1"), within=120)
        took = app.timeline.clock() - began
    assert took > _DEADLINE, f"it took only {took:.1f} s, so this proved nothing"
    numbers(released_in=f"{took:.1f} s (progressDeadlineSeconds {_DEADLINE})")


def _deadline(objects: list[Object]) -> None:
    spec_of(objects)["progressDeadlineSeconds"] = _DEADLINE


def _old_pods_end_at_once(objects: list[Object]) -> None:
    """While old pods wait for their end, the phase of a Rollout is Healthy, and its condition is not."""
    strategy_of(objects)["scaleDownDelaySeconds"] = 1


def _one_pod_at_a_time(objects: list[Object]) -> None:
    strategy = strategy_of(objects)
    del strategy["trafficRouting"]
    strategy |= {"maxSurge": 1, "maxUnavailable": 0}


def _wait(app: Trial, expected: dict[str, str]) -> None:
    """Wait for the statuses of Healthy and Completed and the reason of Progressing, soon after the phase."""

    def check(rollout: Object) -> None:
        present = {each["type"]: each for each in rollout.get("status", {}).get("conditions", [])}
        conditions = {
            name: present.get(name, {}).get("reason" if name == "Progressing" else "status")
            for name in expected
        }
        if conditions != expected:
            raise PendingError(f"{conditions} instead of {expected}")

    wait_for(app.kube, ROLLOUT, app.name, app.namespace, check, what="conditions", timeout=_AT_ONCE)


def _transition(app: Trial, kind: str) -> str:
    """When the status of a condition changed for the last time."""
    (condition,) = [each for each in _status(app)["conditions"] if each["type"] == kind]
    return str(condition["lastTransitionTime"])


def _status(app: Trial) -> Object:
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    status: Object = rollout["status"]
    return status
