"""AnalysisRuns that no Rollout created: one metric, one measurement."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.analysis.providers.catalog import GOOD, Provider
from e2e.analysis.providers.servers import Servers
from e2e.analysis.runs import ended
from fixtures.kube.kinds import ANALYSIS_RUN

# A client may try again a few times, with pauses; a Job has to start a pod.
_SECONDS = 180.0


@dataclass(frozen=True)
class RunResult:
    """What an AnalysisRun came to.

    Attributes:
        phase: Successful, Failed, Error or Inconclusive.
        message: What the run says about it; "" if it has nothing to say.
        value: The measurement as the provider wrote it.
        text: What the measurement itself says.
    """

    phase: str
    message: str
    value: str
    text: str

    def __str__(self) -> str:
        said = self.text or self.message
        return f"{self.phase} {self.value}".strip() + (f": {said}" if said else "")


def start(
    servers: Servers, provider: Provider, *, case: str = GOOD, namespace: str = "none", pod_hash: str = "none"
) -> str:
    """Create the run, which asks for one version of a namespace's app, and return its name."""
    arguments = [{"name": "namespace", "value": namespace}, {"name": "pod-hash", "value": pod_hash}]
    run = {
        "apiVersion": ANALYSIS_RUN.api_version,
        "kind": ANALYSIS_RUN.kind,
        "metadata": {"generateName": f"{provider.name}-{case}-", "namespace": servers.namespace},
        "spec": {"args": arguments, "metrics": [provider.metric(servers, case)]},
    }
    return str(servers.environment.kube.create(run)["metadata"]["name"])


def verdict(servers: Servers, name: str) -> RunResult:
    """Wait until the run is over, and return what it came to.

    Raises:
        ConditionNotMetError: It is not within three minutes.
    """
    status = ended(servers.environment.kube, servers.namespace, name, within=_SECONDS)
    (result,) = status.get("metricResults", [{}])
    measured = (result.get("measurements") or [{}])[-1]
    return RunResult(
        status["phase"], status.get("message", ""), measured.get("value", ""), measured.get("message", "")
    )
