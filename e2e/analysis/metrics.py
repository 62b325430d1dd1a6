"""What the analyses of these scenarios ask the run's Prometheus, and how they judge the answer."""

from __future__ import annotations

from fixtures.cluster.kube import Object
from fixtures.stack.prometheus import ADDRESS

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


def success_rate(labels: str) -> str:
    """The share of payment requests answered without a 5xx in 5 s, as the templates of the app ask for it.

    Args:
        labels: Of the pods that are asked, in PromQL.
    """
    total = f'http_requests_total{{{labels}, path="/payments"'
    return f'1 - (sum(rate({total}, code=~"5.."}}[5s])) or vector(0)) / sum(rate({total}}}[5s]))'
