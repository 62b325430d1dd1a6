"""Starts AnalysisRuns without a Rollout, with one metric and one measurement, and reads their results."""

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
    """The result of an AnalysisRun.

    Attributes:
        phase: Successful, Failed, Error or Inconclusive.
        message: The message of the run; "" if there is none.
        value: The measured value, as the provider wrote it.
        text: The message of the measurement; "" if there is none.
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
    """Create a run that measures one version of the app in a namespace, and return the run's name."""
    arguments = [{"name": "namespace", "value": namespace}, {"name": "pod-hash", "value": pod_hash}]
    run = {
        "apiVersion": ANALYSIS_RUN.api_version,
        "kind": ANALYSIS_RUN.kind,
        "metadata": {"generateName": f"{provider.name}-{case}-", "namespace": servers.namespace},
        "spec": {"args": arguments, "metrics": [provider.metric(servers, case)]},
    }
    return str(servers.environment.kube.create(run)["metadata"]["name"])


def verdict(servers: Servers, name: str) -> RunResult:
    """Wait until the run is over, and return its result.

    Raises:
        ConditionNotMetError: It is not over within three minutes.
    """
    status = ended(servers.environment.kube, servers.namespace, name, within=_SECONDS)
    (result,) = status.get("metricResults", [{}])
    measured = (result.get("measurements") or [{}])[-1]
    return RunResult(
        status["phase"], status.get("message", ""), measured.get("value", ""), measured.get("message", "")
    )
