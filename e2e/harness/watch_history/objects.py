"""Objects with a recorded field that says whether they are well, and the CRDs that they need."""

from __future__ import annotations

from collections.abc import Callable

from fixtures.core.objects import Object
from fixtures.kube.kinds import (
    ANALYSIS_RUN,
    CUSTOM_RESOURCE_DEFINITION,
    REPLICA_SET,
    ROLLOUT,
    SERVICE,
    VIRTUAL_SERVICE,
    Kind,
)
from fixtures.timeline.extraction import HASH_LABEL
from fixtures.timeline.records import AnalysisRecord, ReplicaSetRecord, ServiceRecord
from fixtures.timeline.state import State

Body = Callable[[int, bool], Object]
KINDS = (REPLICA_SET, SERVICE, VIRTUAL_SERVICE, ANALYSIS_RUN)
_LABELS = {"app": "history"}
_POD = {"metadata": {"labels": _LABELS}, "spec": {"containers": [{"name": "c", "image": "history:1"}]}}


def body_of(kind: Kind, number: int, *, is_well: bool) -> Object:
    """The body of an object at its `number`th change. The recorded fields differ with each change."""
    odd = 0 if is_well else 1
    bodies: dict[Kind, Object] = {
        REPLICA_SET: {
            "spec": {"replicas": 2 * number + odd, "selector": {"matchLabels": _LABELS}, "template": _POD}
        },
        SERVICE: {"spec": {"ports": [{"port": 80}], "selector": {HASH_LABEL: f"{2 * number + odd}"}}},
        VIRTUAL_SERVICE: {"spec": {"http": [{"name": "primary", "route": _routes(number, odd)}]}},
        ANALYSIS_RUN: {"status": {"phase": f"{2 * number + odd}"}},
    }
    return bodies[kind]


def is_well(state: State, kind: Kind, name: str) -> bool:
    """Whether an object is well, by its last record; one that does not exist counts as well."""
    value: float | str | None
    if kind == REPLICA_SET:
        sizes = state.get(ReplicaSetRecord, name)
        value = sizes.desired if sizes else None
    elif kind == SERVICE:
        service = state.get(ServiceRecord, name)
        value = service.hash if service else None
    elif kind == VIRTUAL_SERVICE:
        value = (state.weights(f"{name}/primary") or {}).get("canary")
    else:
        value = next((run.run_phase for run in state.all(AnalysisRecord) if run.name == name), None)
    return value is None or int(value) % 2 == 0


def definitions() -> list[Object]:
    """CRDs for the recorded kinds that are not part of Kubernetes; their objects may have any fields."""
    return [
        _definition(ROLLOUT, "rollouts"),
        _definition(ANALYSIS_RUN, "analysisruns"),
        _definition(VIRTUAL_SERVICE, "virtualservices"),
    ]


def _routes(number: int, odd: int) -> list[Object]:
    """Destinations whose weights add up to 100; the name of one of them differs with each change."""
    weights = {"canary": 40 + odd, f"stable-{number}": 60 - odd}
    return [{"destination": {"host": host}, "weight": weight} for host, weight in weights.items()]


def _definition(kind: Kind, plural: str) -> Object:
    group, version = kind.api_version.split("/")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": CUSTOM_RESOURCE_DEFINITION.api_version,
        "kind": CUSTOM_RESOURCE_DEFINITION.kind,
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "singular": plural[:-1],
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
            },
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }
