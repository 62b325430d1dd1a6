"""What a router cannot do: the controller refuses it, before anything of a release begins."""

from __future__ import annotations

import pytest

from e2e.routers.each import FURTHER_ROUTERS
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import degraded, healthy
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import Object
from fixtures.kube.kinds import ROLLOUT
from fixtures.timeline.recorder import observe
from fixtures.timeline.records import RolloutRecord
from fixtures.trial.trial import ACTIVE, Trial

# How long each refusal lasts, so that it is seen by enough requests.
_REFUSED_SECONDS = 6
_MATCH = {"name": "probe", "match": [{"headerName": "x-probe", "headerValue": {"exact": "1"}}]}
_MIRROR = {"name": "probe", "percentage": 50, "match": [{"method": {"exact": "GET"}}]}
_VALID: Object = {
    "steps": [{"setWeight": 5}, {"pause": {}}],
    "pingPong": None,
    "trafficRouting": {"managedRoutes": None, "maxTrafficWeight": None},
}


def _with_route(step: Object) -> Object:
    steps = [{"setCanaryScale": {"replicas": 1}}, step]
    return {"steps": steps, "trafficRouting": {"managedRoutes": [{"name": "probe"}]}}


# For each: what is asked for, and what the controller says.
_ASKED: dict[str, tuple[Object, str]] = {
    "setHeaderRoute": (
        _with_route({"setHeaderRoute": _MATCH}),
        "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix",
    ),
    "setMirrorRoute": (
        _with_route({"setMirrorRoute": _MIRROR}),
        "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins",
    ),
    "pingPong": (
        {"pingPong": {"pingService": "payments-stable", "pongService": "payments-canary"}},
        "Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only",
    ),
    "maxTrafficWeight": ({"trafficRouting": {"maxTrafficWeight": 1000}}, "maxTrafficWeight"),
}


# NGINX has an annotation for it.
_CAN = {"nginx": {"maxTrafficWeight"}}


@pytest.mark.parametrize("router", FURTHER_ROUTERS, indirect=True)
@pytest.mark.violates(
    "steps-forward", reason="a strategy with fewer steps takes the place of one that has ended"
)
def test_what_a_router_cannot_do_is_refused_and_costs_no_request(
    trial: StartTrial, numbers: Report, router: str
) -> None:
    refused = {name: each for name, each in _ASKED.items() if name not in _CAN.get(router, ())}
    with trial("canary") as app:
        with app.traffic(50):
            said = {name: _refusal(app, asked) for name, (asked, _) in refused.items()}
        answered = assert_no_errors(app.records(), stream=ACTIVE)
    for name, (_, words) in refused.items():
        assert "InvalidSpec" in said[name], f"{name}: {said[name]}"
        assert words in said[name], f"{name}: {said[name]}"
    numbers(failed_requests=f"0 of {answered:,}", **said)


def _refusal(app: Trial, asked: Object) -> str:
    """What the Rollout's status says of a change of its strategy, which is then undone."""
    _change(app, asked)
    app.wait(degraded(), within=60)
    app.holds(degraded(), for_=_REFUSED_SECONDS)
    said = app.records().of(RolloutRecord)[-1].message
    _change(app, _VALID)
    app.wait(healthy(), within=60)
    return said


def _change(app: Trial, canary: Object) -> None:
    changed = app.kube.patch(ROLLOUT, app.name, app.namespace, {"spec": {"strategy": {"canary": canary}}})
    # The watch may tell of it later, and until then the status before it would count.
    observe(app.timeline, ROLLOUT, changed)
