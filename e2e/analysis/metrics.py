"""What the analyses of these scenarios ask the run's Prometheus, and how they judge the answer."""

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
# One version only; the arguments are those of the Rollout's own analysis.
OF_VERSION = 'namespace="{{args.namespace}}", rollouts_pod_template_hash="{{args.pod-hash}}"'


def metric(
    name: str, query: str, conditions: dict[str, str], *, address: str = ADDRESS, **fields: object
) -> Object:
    """A metric that asks once, unless `count` says otherwise, and then each second.

    Args:
        name: Its name.
        query: In PromQL.
        conditions: `successCondition`, `failureCondition` or both.
        address: Prometheus, where the controller reaches it.
        **fields: Further fields of the metric, or `count` and `interval`.
    """
    provider = {"prometheus": {"address": address, "timeout": 5, "query": query}}
    return {"name": name, "interval": "1s", "count": 1, **conditions, "provider": provider, **fields}


def success_rate(labels: str, *, seconds: int = 5) -> str:
    """The share of payment requests answered without a 5xx, as the templates of the app ask for it.

    Args:
        labels: Of the pods that are asked, in PromQL.
        seconds: How far it looks back.
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
    """Wait until Prometheus can tell the success rate of the version that is being released.

    It has to find the new pods first, and to scrape them twice: see docs/findings.md.
    """
    labels = f'namespace="{app.namespace}", rollouts_pod_template_hash="{pod_hash(app)}"'
    until(lambda: _require_number(app, success_rate(labels)), what="a success rate", timeout=60)


def _require_number(app: Trial, query: str) -> None:
    values = [sample["value"][1] for sample in ask(app.environment, query)]
    if not values or math.isnan(float(values[0])):
        raise PendingError(f"the answer is {values or 'empty'}")
