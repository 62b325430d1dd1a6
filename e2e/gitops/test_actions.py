"""Runs each action of a Rollout that Argo CD offers, and checks what clients get."""

from __future__ import annotations

import pytest

from e2e.gitops.variants import canary_steps, judged_by, lingering
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import aborted, at_step, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.retry import PendingError, until
from fixtures.judge.convergence import Settled, windows
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, assert_share
from fixtures.kube.client import Object, pods_of
from fixtures.kube.kinds import ROLLOUT
from fixtures.kube.wait import wait_for
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import ActionRecord
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS
from sample_app.versions import IMAGE

# Enough for 1,000 requests after the data plane has followed, which on a busy machine takes seconds.
_LOOK_SECONDS = 10.0
# Long enough to ask Argo CD for two things meanwhile, and to look for `_LOOK_SECONDS`.
_PAUSE_SECONDS = 15
_STEPS = canary_steps(10, f"{_PAUSE_SECONDS}s", 30, None, 50, None, 70, None)
# Not by latency: what is done to clients is the question, and a busy machine is slow at times.
_JUDGED = judged_by("success-rate")
_ALWAYS = {"restart"}
_UNDER_WAY = {*_ALWAYS, "abort", "pause", "promote-full", "skip-current-step"}
# What the weight of the new version becomes by each action; the first is the deploy's.
_EXPECTED = [
    ("deploy, pause", 10), ("resume", 30), ("resume again", 50), ("skip-current-step", 70), ("abort", 0),
    ("retry", 10), ("promote-full", 100),
]  # fmt: skip


@pytest.mark.scenario("git-6")
def test_each_action_does_to_clients_what_its_button_says(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary", patches=[_STEPS, _JUDGED, lingering()]) as app:
        act = app.application.act
        assert _offered(app) == _ALWAYS
        with app.traffic():
            app.deploy("1.1")
            app.wait(paused_at(1), within=60)
            assert _offered(app) == {*_UNDER_WAY, "resume"}
            act("pause")
            stays = all_of(at_step(1), weight_is(10))
            app.wait(stays, within=30)  # the controller has to see the pause first
            app.holds(stays, for_=_PAUSE_SECONDS + 1.5)
            for action, step, weight in (("resume", 3, 30), ("resume", 5, 50), ("skip-current-step", 7, 70)):
                act(action)
                # Of a pause with an end, the first one begins its seconds anew.
                app.wait(all_of(paused_at(step), weight_is(weight)), within=_PAUSE_SECONDS + 30)
                app.holds(weight_is(weight), for_=_LOOK_SECONDS)
            act("abort")
            app.wait(all_of(aborted(version="1.1"), weight_is(0)), within=30)
            assert _offered(app) == {*_ALWAYS, "promote-full", "retry", "skip-current-step"}
            app.holds(weight_is(0), for_=CONVERGENCE_SECONDS + _LOOK_SECONDS)
            act("retry")
            app.wait(all_of(paused_at(1), weight_is(10)), within=60)
            app.holds(weight_is(10), for_=_LOOK_SECONDS)
            act("promote-full")
            app.wait(promoted("1.1"), within=60)
            app.holds(promoted("1.1"), for_=_LOOK_SECONDS)
            before, acted_at = _pods(app), app.timeline.clock()
            act("restart")
            wait_for(app.kube, ROLLOUT, "payments", app.namespace, _restarted, what="restart", timeout=120)
            # It counts as done when the last pod has been told to go.
            app.wait(promoted("1.1"), within=60)
            until(lambda: _gone(app, before), what="the pods from before the restart gone", timeout=60)
        records = app.records()

        settled = windows(records, stream=ACTIVE, allow=CONVERGENCE_SECONDS)
        assert [each.weights.get("1.1", 0) for each in settled] == [weight for _, weight in _EXPECTED]
        for (action, weight), each in zip(_EXPECTED, settled, strict=True):
            numbers(**{f"{action}: {weight}%": _followed(records, each, weight)})
        answered = assert_no_errors(records, stream=ACTIVE)
        during = assert_share(records, stream=ACTIVE, version="1.1", weight=100, window=Window(acted_at))
    numbers(
        restart=f"all {len(before)} pods replaced, 1.1 answered {during}",
        failed_requests=f"0 of {answered:,}",
    )


def _followed(records: Recording, settled: Settled, weight: int) -> str:
    """What clients got of the new version once they were to get `weight`, and how soon."""
    if weight:
        seen = str(assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window))
    else:
        seen = str(assert_exactly_none(records, stream=ACTIVE, version="1.1", window=settled.window))
    claimed = settled.window.start - (settled.convergence or 0)
    action_times = [r.t for r in records.of(ActionRecord) if r.t < claimed]
    after = f"{claimed - action_times[-1]:.2f} s after the click, " if action_times else ""
    return f"{seen}; {after}clients {settled.convergence or 0:.2f} s later"


def _offered(app: GitOpsTrial) -> set[str]:
    return {action for action, possible in app.application.actions().items() if possible}


def _pods(app: GitOpsTrial) -> set[str]:
    pods = pods_of(app.kube, app.namespace, "app=payments")
    return {pod["metadata"]["uid"] for pod in pods if pod["spec"]["containers"][0]["image"] == f"{IMAGE}:1.1"}


def _gone(app: GitOpsTrial, before: set[str]) -> None:
    if left := before & _pods(app):
        raise PendingError(f"{len(left)} of them are there")


def _restarted(rollout: Object) -> None:
    requested, done = rollout["spec"].get("restartAt"), rollout["status"].get("restartedAt")
    if requested is None or requested != done:
        raise PendingError(f"asked for at {requested}, done at {done}")
