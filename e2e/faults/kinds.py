"""The faults of the matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from e2e.faults.moments import OLD
from fixtures.faults.faults import Fault
from fixtures.kube.client import pods_of
from fixtures.kube.kinds import VIRTUAL_SERVICE
from fixtures.timeline.extraction import tag_of
from fixtures.trial.trial import Trial

# Seconds for which what lasts is there.
SECONDS = 5.0


@dataclass(frozen=True)
class FaultKind:
    """A fault of the matrix.

    Attributes:
        name: Its name.
        what: What is done, in words.
        begin: Begins it.
        seconds: For how long it is left there before it is ended; 0 for what is over by itself.
    """

    name: str
    what: str
    begin: Callable[[Trial], Fault]
    seconds: float = 0.0


def pod_of(app: Trial) -> str:
    """The first pod of the version before that is not about to end; of any version if there is none."""
    pods = [
        each for each in pods_of(app.kube, app.namespace, "") if "deletionTimestamp" not in each["metadata"]
    ]
    old = [each for each in pods if tag_of(each["spec"]["containers"][0]["image"]) == OLD]
    return min(str(each["metadata"]["name"]) for each in old or pods)


FAULT_KINDS = {
    each.name: each
    for each in (
        FaultKind(
            "kill-controller", "Argo Rollouts is killed; its lease runs out 15 s later",
            lambda app: app.faults.kill("argo-rollouts"),
        ),
        FaultKind(
            "unready-pod", "a pod of the old version is not ready, and goes on answering",
            lambda app: app.faults.unready(pod_of(app)), SECONDS,
        ),
        FaultKind(
            "freeze-api-server", "the API server stands still for 4 s",
            lambda app: app.faults.api_server.freeze(4), 4.0,
        ),
        FaultKind(
            "partition-istiod", "istiod and the gateway are cut off from each other",
            lambda app: app.faults.partition("istiod", "istio-ingressgateway"), SECONDS,
        ),
        FaultKind(
            "evict-pod", "a pod of the old version is evicted", lambda app: app.faults.evict(pod_of(app))
        ),
        FaultKind(
            "partition-controller", "Argo Rollouts is cut off from the API server",
            lambda app: app.faults.partition("argo-rollouts"), SECONDS,
        ),
        FaultKind(
            "freeze-etcd", "etcd stands still for 3 s", lambda app: app.faults.freeze("etcd", 3), 3.0,
        ),
        FaultKind("kill-pod", "a pod of the old version is killed", lambda app: app.faults.kill(pod_of(app))),
        FaultKind(
            "refuse-weights", "each update of a VirtualService by Argo Rollouts is refused with 422",
            lambda app: app.faults.api_server.refuse(VIRTUAL_SERVICE, status=422), SECONDS,
        ),
        FaultKind("kill-istiod", "istiod is killed", lambda app: app.faults.kill("istiod")),
        FaultKind(
            "lost-lease", "somebody else takes the lease of Argo Rollouts",
            lambda app: app.faults.lose_lease(), 12.0,
        ),
        FaultKind("more-pods", "an autoscaler asks for 3 pods", lambda app: app.faults.autoscale(3), SECONDS),
        FaultKind(
            "prometheus-away", "Prometheus is away", lambda app: app.faults.prometheus.away(), SECONDS
        ),
        FaultKind("kill-kubelet", "the kubelet is killed", lambda app: app.faults.kill("kubelet"), 2.0),
        FaultKind(
            "rival-writer", "somebody else writes a weight of 40% twice a second",
            lambda app: app.faults.rival_writer(40), 3.0,
        ),
        FaultKind(
            "restart-api-server", "the API server is killed", lambda app: app.faults.api_server.restart()
        ),
    )
}  # fmt: skip
