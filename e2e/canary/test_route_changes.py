"""What somebody changes of a Rollout's routes is noticed at once, and what is not its own stays."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from e2e import variants
from e2e.canary import subsets
from e2e.canary.routes import WITH_HEADER, steps_with_routes
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import observed, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.retry import PendingError
from fixtures.kube.client import Object
from fixtures.kube.kinds import DESTINATION_RULE, ROLLOUT, VIRTUAL_SERVICE, Kind
from fixtures.kube.wait import wait_for
from fixtures.trial.trial import Trial

_OWN = "own"
_INTERNAL = "payments-internal"
# Argo Rollouts looks at a Rollout of which nothing changes every 15 minutes.
_AT_ONCE = 20
_PORT = {"number": 80}


@pytest.mark.violates("step-weights", reason="somebody edits a weight on purpose")
@pytest.mark.scenario("can-21")
def test_weights_that_somebody_edits_come_back_and_what_a_route_lacks_is_told(
    trial: StartTrial, numbers: Report
) -> None:
    steps = variants.canary_steps(50, None)
    change = variants.combined(
        subsets.split_by_subset, variants.without_analysis, steps, _two_virtual_services
    )
    with trial("canary", variant=change) as app:
        app.deploy("1.1")
        app.wait(all_of(paused_at(1), weight_is(50, service=subsets.CANARY)), within=60)

        _edit_and_wait_until_undone(app)
        # Also while somebody has paused the Rollout, which stops its steps and nothing else.
        app.pause()
        app.wait(observed(), within=_AT_ONCE)
        _edit_and_wait_until_undone(app)
        app.resume()

        whole = _edited(app, 50, 50)
        without_stable = copy.deepcopy(whole)
        without_stable[0]["route"][0]["destination"]["subset"] = "somebody-elses"
        app.kube.patch(VIRTUAL_SERVICE, _INTERNAL, app.namespace, _routes(without_stable))
        _wait(app, ROLLOUT, app.name, _is_invalid("subset"))
        app.kube.patch(VIRTUAL_SERVICE, _INTERNAL, app.namespace, _routes(whole))
        app.wait(paused_at(1), within=_AT_ONCE)
        app.promote()
        app.wait(promoted("1.1"), within=60)
        rule = _get(app, DESTINATION_RULE, "payments")
    labels = {each["name"]: each["labels"]["app"] for each in rule["spec"]["subsets"]}
    assert labels == {"stable": "payments", "canary": "payments"}, "the subsets' own labels were changed"
    numbers(noticed=f"each within {_AT_ONCE} s")


@pytest.mark.scenario("can-21")
def test_a_header_route_has_the_port_of_the_others_and_a_route_of_the_user_stays(
    trial: StartTrial, numbers: Report
) -> None:
    steps = steps_with_routes({"setCanaryScale": {"replicas": 1}}, WITH_HEADER, None)
    change = variants.combined(variants.without_analysis, steps, _with_a_route_of_the_user)
    with trial("canary", variant=change) as app:
        app.deploy("1.1")
        app.wait(paused_at(2), within=60)
        during = {each["name"]: each for each in _http(app, "payments")}
        app.promote()
        app.wait(promoted("1.1"), within=60)
        _wait(app, VIRTUAL_SERVICE, "payments", _has_routes(_OWN, "primary"))
    assert list(during) == ["probe", _OWN, "primary"]
    assert [each["destination"].get("port") for each in during["probe"]["route"]] == [_PORT]
    numbers(routes=f"{', '.join(during)}; {_OWN} and primary after the promotion")


def _two_virtual_services(objects: list[Object]) -> None:
    """The Rollout has a second VirtualService, for another host."""
    first = variants.manifest_of(objects, "VirtualService")
    second = copy.deepcopy(first)
    second["metadata"]["name"] = _INTERNAL
    second["spec"]["hosts"] = ["internal.example"]
    objects.append(second)
    istio = variants.strategy_of(objects)["trafficRouting"]["istio"]
    routes = istio.pop("virtualService")["routes"]
    istio["virtualServices"] = [{"name": name, "routes": routes} for name in ("payments", _INTERNAL)]


def _with_a_route_of_the_user(objects: list[Object]) -> None:
    http = variants.manifest_of(objects, "VirtualService")["spec"]["http"]
    own = copy.deepcopy(http[0]) | {"name": _OWN, "match": [{"uri": {"prefix": "/own"}}]}
    own["route"] = [{"destination": own["route"][0]["destination"]}]
    http.insert(0, own)


def _edit_and_wait_until_undone(app: Trial) -> None:
    app.kube.patch(VIRTUAL_SERVICE, _INTERNAL, app.namespace, _routes(_edited(app, 90, 10)))
    _wait(app, VIRTUAL_SERVICE, _INTERNAL, _has_weights(50, 50))


def _get(app: Trial, kind: Kind, name: str) -> Object:
    found = app.kube.get(kind, name, app.namespace)
    assert found is not None
    return found


def _http(app: Trial, name: str) -> list[Object]:
    http: list[Object] = _get(app, VIRTUAL_SERVICE, name)["spec"]["http"]
    return http


def _edited(app: Trial, *weights: int) -> list[Object]:
    """The routes of the second VirtualService, with other weights."""
    http = _http(app, _INTERNAL)
    for destination, weight in zip(http[0]["route"], weights, strict=True):
        destination["weight"] = weight
    return http


def _routes(http: list[Object]) -> Object:
    return {"spec": {"http": http}}


def _wait(app: Trial, kind: Kind, name: str, check: Callable[[Object], None]) -> None:
    wait_for(app.kube, kind, name, app.namespace, check, what=f"{kind.kind} {name}", timeout=_AT_ONCE)


def _has_weights(*weights: int) -> Callable[[Object], None]:
    def check(service: Object) -> None:
        present = [each["weight"] for each in service["spec"]["http"][0]["route"]]
        if present != [*weights]:
            raise PendingError(f"its weights are {present}")

    return check


def _has_routes(*names: str) -> Callable[[Object], None]:
    def check(service: Object) -> None:
        present = [each["name"] for each in service["spec"]["http"]]
        if present != [*names]:
            raise PendingError(f"its routes are {present}")

    return check


def _is_invalid(word: str) -> Callable[[Object], None]:
    """The Rollout has the condition InvalidSpec, and its message has a word."""

    def check(rollout: Object) -> None:
        conditions = {each["type"]: each for each in rollout["status"]["conditions"]}
        message = conditions.get("InvalidSpec", {}).get("message", "")
        if word not in message:
            raise PendingError(f"InvalidSpec: {message or 'no such condition'}")

    return check
