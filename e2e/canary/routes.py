"""Managed routes of a canary: one for clients with a header, and one that mirrors requests."""

from __future__ import annotations

from e2e import variants
from e2e.types import Variant
from fixtures.conditions.expectation import Assessment, Condition, met, pending, unknown
from fixtures.kube.client import Object
from fixtures.timeline.records import WeightRecord
from fixtures.timeline.state import State
from fixtures.trial.trial import Trial
from loadgen.plan import Call, Stream
from loadgen.shapes import Constant

PROBE = "probe"
_HEADER, _VALUE = "x-probe", "canary"
WITH_HEADER: Object = {
    "setHeaderRoute": {
        "name": "probe", "match": [{"headerName": _HEADER, "headerValue": {"exact": _VALUE}}]
    }
}  # fmt: skip
MIRRORED: Object = {
    "setMirrorRoute": {"name": "shadow", "percentage": 100, "match": [{"path": {"prefix": "/payments"}}]}
}


def steps_with_routes(*steps: int | str | Object | None) -> Variant:
    """Steps of a canary that may set the managed routes `probe` and `shadow`; `probe` has priority."""

    def change(objects: list[Object]) -> None:
        variants.canary_steps(*steps)(objects)
        routing = variants.strategy_of(objects)["trafficRouting"]
        routing["managedRoutes"] = [{"name": "probe"}, {"name": "shadow"}]

    return change


def probes(app: Trial, rate: float) -> Stream:
    """A stream of requests with the header, at `rate` per second."""
    return Stream(PROBE, app.hosts[0], headers={_HEADER: _VALUE}, shape=Constant(rate))


def near_misses() -> list[Call]:
    """Requests without the header, and some that nearly have it: none of them is for the route."""
    values = (_VALUE.upper(), _VALUE[:-1], f"{_VALUE}-2", f"a-{_VALUE}", f"{_VALUE},{_VALUE}")
    others = [{_HEADER: value} for value in values]
    return [Call(headers=each) for each in ({}, {f"{_HEADER}-2": _VALUE}, *others)]


def routes_are(*routes: str, name: str = "payments") -> Condition:
    """The VirtualService has exactly these HTTP routes, in whatever order."""

    def check(state: State) -> Assessment:
        if not any(record.object == name for record in state.ever(WeightRecord)):
            return unknown(f"no VirtualService {name} seen")
        present = sorted(record.route for record in state.all(WeightRecord) if record.object == name)
        return (met if present == sorted(routes) else pending)(f"the VirtualService has routes {present}")

    return Condition(f"routes {', '.join(routes)} in the VirtualService", check, name)
