"""Faults in a running cluster: in objects of a trial, and in Istio."""

from __future__ import annotations

from contextlib import ExitStack

from fixtures.addons import istio
from fixtures.core.retry import PendingError, until
from fixtures.faults.targets import Workload
from fixtures.faults.workloads import take_away
from fixtures.kube.client import Kube
from fixtures.kube.errors import KubeError
from fixtures.kube.kinds import DEPLOYMENT, ROLLOUT, VIRTUAL_SERVICE, Kind

_VALIDATING_WEBHOOK = Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
_ISTIOD = Workload(DEPLOYMENT, "istiod", istio.NAMESPACE)


def tolerate_missed_deadlines(kube: Kube, namespace: str) -> None:
    """From now on, a canary that does not become available in time is reported, but not aborted."""
    spec = {"progressDeadlineAbort": False, "progressDeadlineSeconds": 5}
    kube.patch(ROLLOUT, "payments", namespace, {"spec": spec})


def freeze_virtual_services(kube: Kube, namespace: str) -> None:
    """Refuse every further change of a VirtualService in a namespace, as a broken admission webhook would.

    Returns when changes are refused, which is a second or two after the policy was created.
    """
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

    def refused() -> None:
        try:
            kube.patch(VIRTUAL_SERVICE, "payments", namespace, {"metadata": {"labels": {"frozen": "no"}}})
        except KubeError as error:
            if "frozen by the test" not in error.said:
                raise
        else:
            raise PendingError("a change was taken")

    until(refused, what="the VirtualService frozen", timeout=60, interval=0.2)


def hold_back(kube: Kube, namespace: str) -> None:
    """Let no new pod of the Deployment count as available for ten minutes."""
    kube.patch(
        DEPLOYMENT, "payments", namespace, {"spec": {"minReadySeconds": 600, "progressDeadlineSeconds": 900}}
    )


def stop_istiod(kube: Kube) -> None:
    """Cut the gateway off from all further changes, while the API server still accepts them."""
    # Without istiod its webhook would refuse every change of a VirtualService, and so the abort itself.
    for name in ("istio-validator-istio-system", "istiod-default-validator"):
        kube.delete(_VALIDATING_WEBHOOK, name)
    # Nobody brings it back, and no record tells of it: the fault is planted to be noticed.
    take_away(kube, _ISTIOD, ExitStack())
