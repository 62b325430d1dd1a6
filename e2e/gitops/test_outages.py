"""Argo CD or the Git server fails during a canary: clients notice nothing, and no commit is lost."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from e2e.gitops.outages import pods, unreachable
from e2e.gitops.variants import canary_steps, judged_by
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.errors import ConditionNotMetError, FiredampError
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import ACTIVE

# With what it takes to kill and to push, enough for 1,000 requests at each weight.
_AWAY_SECONDS = 10.0
_LAST_SECONDS = 11.0
# Push events go to the one and are answered with what the other reads. Nobody sends them twice: Argo CD
# then hears of the push when it looks the next time, in two to three minutes, or when somebody asks it to.
_DEAF = {"argocd-server", "argocd-repo-server"}
_HEARD_SECONDS = 2.5
_COMPONENTS = ("argocd-repo-server", "argocd-application-controller", "argocd-redis", "argocd-server")
# They have no part in a sync, so they are away together, while the Git server is.
_OTHERS = ("argocd-applicationset-controller", "argocd-notifications-controller")
_STEPS = canary_steps(10, None, 20, None, 30, None, 40, None, 50, None, 60, None)


@pytest.mark.scenario("git-8")
def test_a_canary_goes_on_whatever_of_argo_cd_is_away(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    with gitops_trial("canary", patches=[_STEPS, judged_by("success-rate")]) as app:
        with app.traffic():
            app.deploy("1.1")
            app.wait(all_of(paused_at(1), weight_is(10)), within=60)
            for place, name in enumerate(_COMPONENTS):
                numbers(**{f"without {name}": _go_on_without(app, place, name)})
            with ExitStack() as away:
                for name in _OTHERS:
                    away.enter_context(app.faults.away(name))
                away.enter_context(unreachable(app.kube, app.gitops.git))
                with pytest.raises(FiredampError, match="fetch"):
                    app.commit(files={"notes": "nobody is there"})
                _go_on(app, len(_COMPONENTS))
                assert not any(pods(app.kube, name) for name in _OTHERS), "they were not away"
            commit = app.commit(files={"notes": "it is back"})
            took = app.wait(app.application.synced(commit, patient=True), within=60)
            app.holds(weight_is(60), for_=_LAST_SECONDS)
        records = app.records()

        for settled in windows(records, stream=ACTIVE):
            weight = settled.weights["1.1"]
            share = assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window)
            numbers(**{f"share at {weight}%": share})
        answered = assert_no_errors(records, stream=ACTIVE)
    back = f"a push after it was back was synced after {took:.1f} s"
    numbers(**{f"without the Git server, {' and '.join(_OTHERS)}": back})
    numbers(failed_requests=f"0 of {answered:,}")


def _go_on_without(app: GitOpsTrial, place: int, name: str) -> str:
    """Kill a component, push, go on by one step, and bring it back; say what happened."""
    with app.faults.away(name):
        commit = app.commit(files={"notes": name})
        _go_on(app, place)
        assert not pods(app.kube, name), f"{name} was not away"
    back, synced = app.timeline.clock(), app.application.synced(commit, patient=True)
    try:
        app.wait(synced, within=_HEARD_SECONDS if name in _DEAF else 90)
    except ConditionNotMetError:
        if name not in _DEAF:
            raise
        took = app.wait_looking(synced, within=60)
        return f"the push meanwhile was not heard of; synced {took:.1f} s after a refresh"
    return f"synced to the push meanwhile {app.timeline.clock() - back:.1f} s after it was back"


def _go_on(app: GitOpsTrial, place: int) -> None:
    """See the canary stay where it is, and go on by one step when it is promoted."""
    weight, step = 10 * (place + 1), 2 * place + 1
    app.holds(all_of(paused_at(step), weight_is(weight)), for_=_AWAY_SECONDS)
    app.promote()
    app.wait(all_of(paused_at(step + 2), weight_is(weight + 10)), within=30)
