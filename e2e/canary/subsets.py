"""A canary whose traffic is split by subsets of a DestinationRule: one Service, which is never changed."""

from __future__ import annotations

import copy

from e2e import variants
from fixtures.kube.client import Object

CANARY = "payments/canary"
_SUBSETS = ("stable", "canary")


def split_by_subset(objects: list[Object]) -> None:
    """Route to the subsets of one Service instead of to two Services."""
    service = copy.deepcopy(variants.manifest_of(objects, "Service", "payments-stable"))
    service["metadata"]["name"] = "payments"
    for name in ("payments-stable", "payments-canary"):
        objects.remove(variants.manifest_of(objects, "Service", name))
    objects += [service, _destination_rule(service["metadata"]["namespace"])]
    _route_to_subsets(objects)


def _route_to_subsets(objects: list[Object]) -> None:
    strategy = variants.strategy_of(objects)
    del strategy["stableService"], strategy["canaryService"]
    strategy["trafficRouting"]["istio"]["destinationRule"] = {
        "name": "payments",
        "stableSubsetName": "stable",
        "canarySubsetName": "canary",
    }
    (route,) = variants.manifest_of(objects, "VirtualService")["spec"]["http"]
    for entry, subset in zip(route["route"], _SUBSETS, strict=True):
        entry["destination"] |= {"host": "payments", "subset": subset}


def _destination_rule(namespace: str) -> Object:
    subsets = [{"name": name, "labels": {"app": "payments"}} for name in _SUBSETS]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "payments", "namespace": namespace},
        "spec": {"host": "payments", "subsets": subsets},
    }
