"""The queries of these scenarios' analyses, and the conditions that judge the answers."""

from __future__ import annotations

import math

from e2e.promql import ask
from fixtures.addons.prometheus import ADDRESS
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object
from fixtures.kube.kinds import ROLLOUT
from fixtures.trial.trial import Trial

BARE = {"successCondition": "result[0] >= 0.95"}
BARE_FAILURE = {"failureCondition": "result[0] < 0.95"}
GUARDED = {
    "successCondition": "len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.95",
    "failureCondition": "len(result) > 0 && !isNaN(result[0]) && result[0] < 0.95",
}
GOOD, BAD = "vector(0.99)", "vector(0.5)"
# Labels that select one version, by the arguments of the Rollout's own analysis.
OF_VERSION = 'namespace="{{args.namespace}}", rollouts_pod_template_hash="{{args.pod-hash}}"'


def metric(
    name: str, query: str, conditions: dict[str, str], *, address: str = ADDRESS, **fields: object
) -> Object:
    """A metric that is measured once or, with `count`, so many times, a second apart.

    Args:
        name: Its name.
        query: The query, in PromQL.
        conditions: `successCondition`, `failureCondition` or both.
        address: The URL of Prometheus, as the controller reaches it.
        **fields: Further fields of the metric, or `count` and `interval`.
    """
    provider = {"prometheus": {"address": address, "timeout": 5, "query": query}}
    return {"name": name, "interval": "1s", "count": 1, **conditions, "provider": provider, **fields}


def success_rate(labels: str, *, seconds: int = 5) -> str:
    """The query for the share of payment requests without a 5xx, as in the AnalysisTemplates of the app.

    Args:
        labels: The labels of the pods, in PromQL.
        seconds: How far the query looks back.
    """
    total = f'http_requests_total{{{labels}, path="/payments"'
    return (
        f'1 - (sum(rate({total}, code=~"5.."}}[{seconds}s])) or vector(0)) / sum(rate({total}}}[{seconds}s]))'
    )


def pod_hash(app: Trial) -> str:
    """The pod template hash of the version that is being released."""
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    return str(rollout["status"]["currentPodHash"])


def wait_until_known(app: Trial) -> None:
    """Wait until Prometheus has a success rate of the version that is being released.

    Prometheus has to find the new pods first, and to scrape them twice: see docs/findings.md.
    """
    labels = f'namespace="{app.namespace}", rollouts_pod_template_hash="{pod_hash(app)}"'
    until(lambda: _require_number(app, success_rate(labels)), what="a success rate", timeout=60)


def _require_number(app: Trial, query: str) -> None:
    values = [sample["value"][1] for sample in ask(app.environment, query)]
    if not values or math.isnan(float(values[0])):
        raise PendingError(f"the answer is {values or 'empty'}")
