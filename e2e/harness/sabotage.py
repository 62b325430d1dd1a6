"""Faults planted on purpose, to see the right test turn red for the right reason."""

from __future__ import annotations

from e2e import variants
from fixtures.cluster.kinds import DEPLOYMENT, Kind
from fixtures.cluster.kube import Kube, Object
from fixtures.stack import istio

_VALIDATING_WEBHOOK = Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")


def without_progress_deadline_abort(objects: list[Object]) -> None:
    """A canary that never becomes available is reported, and left where it is."""
    variants.spec_of(objects).update({"progressDeadlineAbort": False, "progressDeadlineSeconds": 5})


def preview_selects_active(objects: list[Object]) -> None:
    """The preview's route leads to the active Service."""
    route = variants.found(objects, "VirtualService", "payments-preview")
    route["spec"]["http"][0]["route"][0]["destination"]["host"] = "payments-active"


def active_routes_to_preview(objects: list[Object]) -> None:
    """A tenth of the active traffic leaks to the preview."""
    route = variants.found(objects, "VirtualService", "payments")
    port = {"number": 80}
    route["spec"]["http"][0]["route"] = [
        {"destination": {"host": "payments-active", "port": port}, "weight": 90},
        {"destination": {"host": "payments-preview", "port": port}, "weight": 10},
    ]


def freeze_virtual_services(kube: Kube, namespace: str) -> None:
    """Refuse every further change of a VirtualService in a namespace, as a broken admission webhook would."""
    name = f"freeze-{namespace}"
    rules = [
        {
            "apiGroups": ["networking.istio.io"],
            "apiVersions": ["*"],
            "operations": ["UPDATE"],
            "resources": ["virtualservices"],
        }
    ]
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "validations": [{"expression": "false", "message": "frozen by the test"}],
    }
    namespaces = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": namespaces},
    }
    group = "admissionregistration.k8s.io/v1"
    kube.apply(
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": policy,
        },
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": binding,
        },
    )


def hold_back(kube: Kube, namespace: str) -> None:
    """Let no new pod of the Deployment count as available for ten minutes."""
    kube.patch(
        DEPLOYMENT, "payments", namespace, {"spec": {"minReadySeconds": 600, "progressDeadlineSeconds": 900}}
    )


def stop_istiod(kube: Kube) -> None:
    """Cut the gateway off from all further changes, while the API server still accepts them."""
    # With istiod gone its webhook would refuse every change of a VirtualService, and so the abort itself.
    for name in ("istio-validator-istio-system", "istiod-default-validator"):
        kube.delete(_VALIDATING_WEBHOOK, name)
    kube.patch(DEPLOYMENT, "istiod", istio.NAMESPACE, {"spec": {"replicas": 0}})
