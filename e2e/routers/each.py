"""The routers behind which a scenario can run, as parameters of tests."""

from __future__ import annotations

import pytest


def _of(*routers: str) -> list[object]:
    return [pytest.param(each, marks=pytest.mark.router(each)) for each in routers]


FURTHER_ROUTERS = _of("nginx", "traefik")
"""Besides the first router of the cluster, which is Istio by default. The cluster has all that the selected
tests need."""
EACH_ROUTER = _of("istio", "nginx", "traefik")
GATEWAYS = {"istio": "istio-ingressgateway", "nginx": "ingress-nginx-controller", "traefik": "traefik"}
"""The workload of each, as a target of faults."""
