"""Creates AnalysisRuns without a Rollout, which the real controller runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

from e2e.analysis.metrics import BARE, GOOD, metric
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import ANALYSIS_RUN, NAMESPACE
from fixtures.kube.times import unix
from fixtures.kube.wait import wait_for
from fixtures.trial.namespaces import namespace_of

_ENDED = ("Successful", "Failed", "Error", "Inconclusive")


@contextmanager
def namespace(kube: Kube) -> Iterator[str]:
    """A namespace for AnalysisRuns, which is deleted at the end of the block."""
    name = f"analysis-{secrets.token_hex(3)}"
    kube.apply(namespace_of(name))
    try:
        yield name
    finally:
        kube.delete(NAMESPACE, name)


def create(kube: Kube, namespace: str, name: str, *metrics: Object, **spec: object) -> None:
    """Create an AnalysisRun."""
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun"}
    metadata = {"name": name, "namespace": namespace}
    kube.create({**kind, "metadata": metadata, "spec": {"metrics": [*metrics], **spec}})


def create_without_end(kube: Kube, namespace: str, service: str) -> str:
    """Create a Service without endpoints; return its URL once it refuses the controller's connections.

    Before that, its name may be unknown or its address unreachable, which gives another error.
    """
    ports = [{"name": "http", "port": 9090, "targetPort": 9090}]
    metadata = {"name": service, "namespace": namespace}
    kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    url = f"http://{service}.{namespace}:9090"
    until(lambda: _require_refused(kube, namespace, url), what=f"{url} refuses connections", timeout=60)
    return url


def ended(kube: Kube, namespace: str, name: str, *, within: float = 120.0) -> Object:
    """Wait until an AnalysisRun is over, and return its status."""
    what = f"AnalysisRun {namespace}/{name} over"
    run = wait_for(kube, ANALYSIS_RUN, name, namespace, _require_end, what=what, timeout=within)
    status: Object = run["status"]
    return status


def measured(status: Object, name: str = "") -> Object:
    """The result of one metric of a run: of the only one, or of that with the name."""
    (result,) = [each for each in status["metricResults"] if name in ("", each["name"])]
    assert isinstance(result, dict)
    return result


def gaps(measurements: list[Mapping[str, str]]) -> list[float]:
    """Seconds from each measurement to the next; Kubernetes rounds their times to whole seconds."""
    times = [unix(each["finishedAt"]) for each in measurements]
    return [after - before for before, after in pairwise(times)]


def _require_refused(kube: Kube, namespace: str, url: str) -> None:
    """Have the controller itself connect: only there can one see where the node sends its connections."""
    name = f"probe-{secrets.token_hex(3)}"
    create(kube, namespace, name, metric("m", GOOD, BARE, address=url, consecutiveErrorLimit=0))
    message = str(ended(kube, namespace, name).get("message", ""))
    if "connection refused" not in message:
        raise PendingError(message)


def _require_end(run: Object) -> None:
    status = run.get("status", {})
    if status.get("phase") not in _ENDED:
        raise PendingError(f"{status.get('phase', 'no phase')}: {status.get('metricResults')}")
