"""A reload of nginx ends its old workers: what becomes of the connections that clients keep."""

from __future__ import annotations

import pytest

from e2e.types import EnterClaim, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.judge.verdicts import requests
from fixtures.kube.client import Object
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS, holds_if
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.plan import Stream
from loadgen.shapes import Constant

_RATE = 100.0
_WEIGHT = 25
_FRESH = "fresh"
_ON_NEW_CONNECTIONS = holds_if("no client writes on a kept connection at that moment")
# Where nginx and its clients have a processor at once, one reload in several loses a request.
_LEAST, _MOST = 5, 20
# Until the old workers have closed what they had.
_SEEN_S = 2.0


@pytest.mark.router("nginx")
@pytest.mark.scenario("router-2")
def test_a_reload_of_nginx_loses_requests_on_kept_connections_only(
    trial: StartTrial, claim: EnterClaim
) -> None:
    there = all_of(paused_at(1), weight_is(_WEIGHT))
    reloads = 0
    with trial(
        "canary", router="nginx", variant=combined(without_analysis, canary_steps(_WEIGHT, None))
    ) as app:
        fresh = Stream(_FRESH, app.hosts[0], headers={"connection": "close"}, shape=Constant(_RATE / 2))
        with app.traffic(_RATE, also=[fresh]):
            app.deploy("1.1")
            app.wait(there, within=60)
            began = app.timeline.clock()
            while reloads < _LEAST or (reloads < _MOST and not _lost(app, ACTIVE, began)):
                reloads += 1
                _reload(app, reloads)
                app.holds(there, for_=_SEEN_S)
        kept, new = _lost(app, ACTIVE, began), _lost(app, _FRESH, began)
        sent = {each: len(requests(app.records(), each)) for each in (ACTIVE, _FRESH)}
        claim(
            "A reload of NGINX loses no request",
            expected=_ON_NEW_CONNECTIONS,
            found=DOES_NOT_HOLD if new else _ON_NEW_CONNECTIONS if kept else HOLDS,
            evidence={
                "reloads in the middle of a canary": reloads,
                "lost on kept connections": f"{len(kept)} of {sent[ACTIVE]:,}, "
                f"in {len({round(t) for t in kept})} different seconds",
                "lost on a new connection for each request": f"{len(new)} of {sent[_FRESH]:,}",
            },
        )


def _reload(app: Trial, number: int) -> None:
    """Another app's Ingress comes, which nginx knows only after a reload; return when it does."""
    host = f"other-{number}.example"
    app.kube.apply(_ingress(app.namespace, f"other-{number}", host))
    gateway = app.environment.gateway_of("nginx")

    def is_known() -> None:
        if loopback.get(f"{gateway}/payments", timeout=5, headers={"Host": host}).status_code == 404:
            raise PendingError("404")

    until(is_known, what=f"nginx to know {host}", timeout=30)


def _ingress(namespace: str, name: str, host: str) -> Object:
    backend = {"service": {"name": "payments-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [path]}}]},
    }


def _lost(app: Trial, stream: str, began: float) -> list[float]:
    """When each request that got no answer was sent."""
    return [each.t for each in requests(app.records(), stream) if each.t >= began and not each.status]
