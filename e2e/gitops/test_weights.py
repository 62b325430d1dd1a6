"""Git and Argo Rollouts both write the VirtualService: which one wins, and which setting lets both work."""

from __future__ import annotations

import pytest
import requests

from e2e.gitops.flapping import flapping, syncs
from e2e.gitops.variants import canary_steps, judged_by, response_header, with_patch
from e2e.types import Report, StartGitOpsTrial
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.gitops.application import SyncPolicy
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import Window, assert_no_errors, assert_share, shares
from fixtures.kube.client import Object
from fixtures.kube.kinds import VIRTUAL_SERVICE
from fixtures.timeline.recorder import observe
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import CommitRecord, WeightRecord
from fixtures.trial.gitops import GitOpsTrial
from fixtures.trial.trial import ACTIVE

_HALF = (canary_steps(50, None), judged_by("success-rate"))
_WATCHED_SECONDS = 60.0
_RATE = 100.0
_HEADER = "x-edit"


@pytest.mark.scenario("git-4")
@pytest.mark.violates("one-writer", "status-weights", reason="Argo CD undoes the weights of one of both apps")
def test_weights_are_left_alone_where_their_differences_are_ignored(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    fought = SyncPolicy(ignore_weights=False)
    with (
        gitops_trial("canary", patches=_HALF) as app,
        gitops_trial("canary", patches=_HALF, policy=fought) as other,
    ):
        with app.traffic(_RATE), other.traffic(_RATE):
            for each in (app, other):
                each.deploy("1.1")
            for each in (app, other):
                each.wait(all_of(paused_at(1), weight_is(50)), within=60)
            app.wait(app.application.synced(app.repository.history()[0]), within=60)
            app.holds(weight_is(50), for_=2)
            began = app.timeline.clock()
            app.holds(all_of(weight_is(50), app.application.out_of_sync()), for_=_WATCHED_SECONDS)
        window = Window(began, began + _WATCHED_SECONDS)
        left, resets = app.records(), other.records()

        share = assert_share(left, stream=ACTIVE, version="1.1", weight=50, window=_converged(left, window))
        assert flapping(left, weight=50, window=window).resets == 0
        assert syncs(left, window) == 0
        # Argo CD waits longer each time, so what comes before the window counts, too.
        fight = Window(_first(resets, weight=50), window.end)
        seen = flapping(resets, weight=50, window=fight)
        assert seen.resets >= 2, f"nobody fought: {seen}"
        assert syncs(resets, fight) >= 2
        answered = assert_no_errors(left, stream=ACTIVE) + assert_no_errors(resets, stream=ACTIVE)
    lasted = fight.end - fight.start
    numbers(
        with_ignoreDifferences=f"0 resets in {_WATCHED_SECONDS:g} s, share {share}",
        without_ignoreDifferences=f"{seen}, by {syncs(resets, fight)} syncs, in {lasted:.0f} s",
        share_without_ignoreDifferences=shares(resets, ACTIVE, window)["1.1"],
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("git-5")
def test_a_later_edit_of_the_route_is_applied(gitops_trial: StartGitOpsTrial, numbers: Report) -> None:
    with gitops_trial("canary", patches=_HALF) as app:
        with app.traffic():
            first = app.commit(files=with_patch(app, response_header(_HEADER, "at-rest")))
            app.wait(app.application.synced(first), within=60)
            at_rest = _served(app, "at-rest")
            app.deploy("1.1")
            app.wait(all_of(paused_at(1), weight_is(50)), within=60)
            second = app.commit(files=with_patch(app, response_header(_HEADER, "mid-canary")))
            app.wait(app.application.synced(second), within=60)
            mid_canary = _served(app, "mid-canary")
            # The watch may tell of Argo CD's write, which is the weight in Git, only now.
            observe(app.timeline, VIRTUAL_SERVICE, _virtual_service(app))
            app.wait(weight_is(50), within=30)
            app.holds(weight_is(50), for_=2)
            settled = app.timeline.clock()
            app.holds(all_of(weight_is(50), app.application.out_of_sync()), for_=8)
        records = app.records()

        window = _converged(records, Window(settled))
        share = assert_share(records, stream=ACTIVE, version="1.1", weight=50, window=window)
        edited = next(r.t for r in records.of(CommitRecord) if r.revision == second.revision)
        seen = flapping(records, weight=50, window=Window(edited, settled))
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        synced_to_served_at_rest=f"{at_rest:.2f} s",
        synced_to_served_mid_canary=f"{mid_canary:.2f} s",
        weights_during_the_edit=seen,
        share_after_the_edit=share,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("git-5")
def test_an_edit_of_the_route_is_lost_where_ignored_differences_are_respected(
    gitops_trial: StartGitOpsTrial, numbers: Report
) -> None:
    # What the documentation of Argo Rollouts advises. See docs/gitops.md and argoproj/argo-cd#23283.
    policy = SyncPolicy(options=("ApplyOutOfSyncOnly=true", "RespectIgnoreDifferences=true"))
    with gitops_trial("canary", patches=_HALF, policy=policy) as app:
        commit = app.commit(files=with_patch(app, response_header(_HEADER, "lost")))
        app.wait(app.application.out_of_sync("VirtualService/payments"), within=60)
        app.holds(app.application.out_of_sync("VirtualService/payments"), for_=8)
        assert _HEADER not in _answer(app).headers
        assert "headers" not in _live_route(app)
    numbers(
        RespectIgnoreDifferences=f"edit {commit.revision[:8]} not applied; VirtualService stays OutOfSync"
    )


def _first(records: Recording, *, weight: int) -> float:
    """When the canary first had a weight."""
    weights = records.of(WeightRecord)
    return next(r.t for r in weights if r.weights.get("payments-canary") == weight)


def _converged(records: Recording, window: Window) -> Window:
    """What of a window is after the data plane had taken over the last change of weights."""
    last = windows(records, stream=ACTIVE)[-1]
    return Window(max(window.start, last.window.start), window.end)


def _served(app: GitOpsTrial, value: str) -> float:
    """Seconds until clients get the header with this value."""

    def look() -> None:
        answer = _answer(app)
        if answer.headers.get(_HEADER) != value:
            raise PendingError(f"{_HEADER}: {answer.headers.get(_HEADER)}")

    began = app.timeline.clock()
    until(look, what=f"{_HEADER}: {value} in the responses", timeout=60)
    return app.timeline.clock() - began


def _virtual_service(app: GitOpsTrial) -> Object:
    virtual_service = app.kube.get(VIRTUAL_SERVICE, "payments", app.namespace)
    assert virtual_service is not None
    return virtual_service


def _answer(app: GitOpsTrial) -> requests.Response:
    url = f"{app.environment.gateway_url}/payments"
    return loopback.get(url, headers={"Host": app.hosts[0]}, timeout=30)


def _live_route(app: GitOpsTrial) -> dict[str, object]:
    (item,) = [
        each for each in app.application.api.managed(app.namespace) if each["kind"] == "VirtualService"
    ]
    route: dict[str, object] = item["liveState"]["spec"]["http"][0]
    return route
