"""Faults of the API server and of a clock act as they say, and are over when they say so."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.deadline import give_up_after
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.kube.kinds import ROLLOUT, VIRTUAL_SERVICE
from fixtures.kube.times import unix
from fixtures.trial.trial import Trial

pytestmark = [pytest.mark.usefixtures("embedded_node"), pytest.mark.scenario("fault-3")]

_VARIANT = variants.combined(variants.without_analysis, variants.canary_steps(20, None, 60, None))
_IN_TIME, _TRIED_AGAIN, _WHILE = 60.0, 150.0, 8.0
_AHEAD_S = 300
# A wait begins a moment after the verb that it waits for.
_LATE_S, _TOLD_S = 6.0, 0.5


def test_an_api_server_refuses_all_or_a_share_of_a_controllers_updates_with_any_status(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_VARIANT) as app:
        _at_first_step(app)
        with app.faults.api_server.refuse(VIRTUAL_SERVICE, status=503):
            app.promote()
            assert not app.sees(weight_is(60), within=_WHILE)
        took = app.wait(all_of(paused_at(3), weight_is(60)), within=_IN_TIME)
        numbers(**{"60% after refusals with 503 were over": f"{took:.1f} s"})
        with app.faults.api_server.refuse(VIRTUAL_SERVICE, status=409, share=0.5):
            app.abort()
            took = app.wait(weight_is(0), within=_IN_TIME)
        numbers(**{"0% while half of the changes are refused with 409": f"{took:.1f} s"})


def test_a_controller_with_a_wrong_clock_writes_wrong_times_and_right_ones_again(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_VARIANT) as app:
        _at_first_step(app)
        with app.faults.clock("argo-rollouts", _AHEAD_S):
            app.abort()
            app.wait(aborted(version="1.1"), within=_IN_TIME)
            wrong = _aborted_ago(app)
        app.retry()
        app.wait(all_of(paused_at(1), weight_is(20)), within=_IN_TIME)
        app.abort()
        app.wait(aborted(version="1.1"), within=_IN_TIME)
        right = _aborted_ago(app)
        numbers(**{"aborted, by the controller's clock": f"{wrong:.0f} s ago; afterwards {right:.0f} s ago"})
        assert -wrong == pytest.approx(_AHEAD_S, abs=30)
        assert right == pytest.approx(0, abs=30)


def test_no_pod_of_a_new_version_starts_while_the_disk_is_full(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_VARIANT) as app:
        # The kubelet tries again with growing pauses.
        give_up_after(app, 180)
        with app.faults.fill_disk():
            app.deploy("1.1")
            assert not app.sees(weight_is(20), within=_WHILE)
        took = app.wait(all_of(paused_at(1), weight_is(20)), within=_TRIED_AGAIN)
        numbers(**{"20% after the disk was no longer full": f"{took:.1f} s"})


def test_a_controller_whose_watches_are_late_acts_late_and_in_time_again(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_VARIANT) as app:
        _at_first_step(app)
        with app.faults.delay_watch(_LATE_S):
            app.promote()
            late = app.wait(weight_is(60), within=_IN_TIME)
        app.wait(paused_at(3), within=_IN_TIME)
        app.abort()
        in_time = app.wait(weight_is(0), within=_IN_TIME)
        numbers(**{"60% after its promotion, and 0% after an abort later": f"{late:.1f} s; {in_time:.1f} s"})
        assert late > _LATE_S - _TOLD_S
        assert in_time < _LATE_S


def _at_first_step(app: Trial) -> None:
    app.deploy("1.1")
    app.wait(all_of(paused_at(1), weight_is(20)), within=_IN_TIME)


def _aborted_ago(app: Trial) -> float:
    """So many seconds ago the controller has aborted, by what it wrote and our clock."""
    live = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert live
    return app.timeline.clock() - unix(live["status"]["abortedAt"])
