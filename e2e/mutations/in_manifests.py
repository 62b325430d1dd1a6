"""Faults in the manifests."""

from __future__ import annotations

from e2e import variants
from e2e.mutations.fault import Fault
from fixtures.kube.client import Object

_ABORT = "e2e/canary/test_abort.py"


def preview_selects_active(objects: list[Object]) -> None:
    """The preview's route leads to the active Service."""
    route = variants.manifest_of(objects, "VirtualService", "payments-preview")
    route["spec"]["http"][0]["route"][0]["destination"]["host"] = "payments-active"


def active_routes_to_preview(objects: list[Object]) -> None:
    """A tenth of the active traffic leaks to the preview."""
    route = variants.manifest_of(objects, "VirtualService", "payments")
    port = {"number": 80}
    route["spec"]["http"][0]["route"] = [
        {"destination": {"host": "payments-active", "port": port}, "weight": 90},
        {"destination": {"host": "payments-preview", "port": port}, "weight": 10},
    ]


def _ask_about_stable(objects: list[Object]) -> None:
    for argument in variants.strategy_of(objects).get("analysis", {}).get("args", []):
        if "podTemplateHashValue" in argument.get("valueFrom", {}):
            argument["valueFrom"] = {"podTemplateHashValue": "Stable"}


def _without_probe(objects: list[Object]) -> None:
    for container in variants.spec_of(objects)["template"]["spec"]["containers"]:
        container.pop("readinessProbe", None)


IN_MANIFESTS = (
    Fault(
        "query-of-the-wrong-hash",
        "the analysis is given the hash of the stable version",
        (f"{_ABORT}::test_a_version_that_answers_5xx_is_aborted_and_gone",),
        manifests=_ask_about_stable,
    ),
    Fault(
        "no-readiness-probe",
        "pods count as ready as soon as they run",
        (f"{_ABORT}::test_a_version_that_crashes_at_boot_never_reaches_a_client",),
        manifests=_without_probe,
    ),
)
