"""What the pod of Argo Rollouts answers at one of its ports."""

from __future__ import annotations

from fixtures.addons.rollouts import NAMESPACE
from fixtures.kube.client import Kube, pods_of

_SELECTOR = "app.kubernetes.io/name=argo-rollouts"


def ask_controller(kube: Kube, port: int, path: str) -> str:
    """Return the answer of the one pod that is not ending, through the API server.

    Args:
        kube: Access to the API server.
        port: The port.
        path: The path, without a slash at its beginning.
    """
    pods = pods_of(kube, NAMESPACE, _SELECTOR)
    (pod,) = [each for each in pods if "deletionTimestamp" not in each["metadata"]]
    name = pod["metadata"]["name"]
    return kube.raw(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:{port}/proxy/{path}")
