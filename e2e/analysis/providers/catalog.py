"""The metric of each provider: its server, its query for one version's success rate, and its conditions.

The arguments `{{args.namespace}}` and `{{args.pod-hash}}` select the version. The cases differ only in the
address and the key.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from e2e.analysis.providers.servers import Servers
from fixtures.kube.client import Object

GOOD, WRONG_KEY, MALFORMED, DOWN = "good", "wrong-key", "malformed", "down"
_THRESHOLD = 0.95
_SELECTOR = 'namespace="{{args.namespace}}", rollouts_pod_template_hash="{{args.pod-hash}}", path="/payments"'
_PROMQL = (
    f'1 - (sum(rate(http_requests_total{{{_SELECTOR}, code=~"5.."}}[10s])) or vector(0))'
    f" / sum(rate(http_requests_total{{{_SELECTOR}}}[10s]))"
)
_FLUX = """from(bucket: "payments") |> range(start: -60s)
  |> filter(fn: (r) => r._measurement == "success_rate")
  |> filter(fn: (r) => r.namespace == "{{args.namespace}}" and r.hash == "{{args.pod-hash}}") |> last()"""
_NRQL = (
    "SELECT percentage(count(*), WHERE httpResponseCode < 500) AS rate FROM Transaction"
    " WHERE namespace = '{{args.namespace}}' AND podHash = '{{args.pod-hash}}' SINCE 10 seconds ago"
)
_DATADOG = "avg:payments.success_rate{kube_namespace:{{args.namespace}},pod_hash:{{args.pod-hash}}}"
_JOB = """
import json, os, urllib.parse, urllib.request
request = urllib.request.Request(
    os.environ["ADDRESS"] + "/api/v1/query?query=" + urllib.parse.quote(os.environ["QUERY"]),
    headers={"Authorization": os.environ["AUTHORIZATION"]},
)
with urllib.request.urlopen(request, timeout=5) as answer:
    (series,) = json.load(answer)["data"]["result"]
assert float(series["value"][1]) >= 0.95, series
"""


@dataclass(frozen=True)
class Provider:
    """One metric provider.

    Attributes:
        name: The name of the provider, with the version of its API if there are several.
        source: A function that makes the `provider` of a metric for a case.
        value: The expression for the success rate in the result; "" if the provider itself judges.
        threshold: The least success rate of a good version.
    """

    name: str
    source: Callable[[Servers, str], Object]
    value: str
    threshold: float = _THRESHOLD

    def metric(self, servers: Servers, case: str = GOOD) -> Object:
        """The metric of an AnalysisTemplate, measured once. Except for GOOD, the first error ends it."""
        metric: Object = {
            "name": self.name,
            "count": 1,
            # A good server may be late on a busy machine, and is asked again.
            "consecutiveErrorLimit": 2 if case == GOOD else 0,
            "provider": self.source(servers, case),
        }
        if self.value:
            metric["successCondition"] = f"{self.value} >= {self.threshold}"
            metric["failureCondition"] = f"{self.value} < {self.threshold}"
        return metric


def _prometheus(servers: Servers, case: str) -> Object:
    headers = [{"key": "Authorization", "value": _basic(servers, case)}]
    return {"prometheus": {"address": _guarded(servers, case), "headers": headers, "query": _PROMQL}}


def _web(servers: Servers, case: str) -> Object:
    headers = [{"key": "Authorization", "value": _basic(servers, case)}]
    url = f"{_guarded(servers, case)}/api/v1/query?query={_quoted(_PROMQL)}"
    return {"web": {"url": url, "headers": headers, "jsonPath": "{$.data.result[0].value[1]}"}}


def _datadog_v1(servers: Servers, case: str) -> Object:
    return _datadog(servers, case, "v1")


def _datadog_v2(servers: Servers, case: str) -> Object:
    return _datadog(servers, case, "v2")


def _datadog(servers: Servers, case: str, version: str) -> Object:
    key = _key(servers, case)
    values = {"address": _address(servers, case, "saas", "/datadog"), "api-key": key, "app-key": key}
    secret = {"name": servers.secret(f"datadog-{case}", values)}
    return {"datadog": {"apiVersion": version, "interval": "1m", "query": _DATADOG, "secretRef": secret}}


def _new_relic(servers: Servers, case: str) -> Object:
    values = {
        "base-url-nerdgraph": _address(servers, case, "saas", "/newrelic/graphql"),
        "personal-api-key": _key(servers, case),
        "account-id": "1",
    }
    return {"newRelic": {"profile": servers.secret(f"newrelic-{case}", values), "query": _NRQL}}


def _influxdb(servers: Servers, case: str) -> Object:
    # Organisations and tokens belong to InfluxDB 2. Version 1 accepts both, and `user:password` as the token.
    values = {
        "address": _address(servers, case, "influxdb"),
        "authToken": f"firedamp:{_key(servers, case)}",
        "org": "firedamp",
    }
    return {"influxdb": {"profile": servers.secret(f"influxdb-{case}", values), "query": _FLUX}}


def _graphite(servers: Servers, case: str) -> Object:
    # The provider has no field for a password, but Go's HTTP client takes one from the address.
    address = _with_password(_address(servers, case, "graphite"), servers, case)
    query = "target=payments.{{args.namespace}}.{{args.pod-hash}}.success_rate&from=-60s"
    return {"graphite": {"address": address, "query": query}}


def _cloudwatch(_servers: Servers, _case: str) -> Object:
    # Address and keys are in the controller's environment variables.
    dimensions = [
        {"name": "namespace", "value": "{{args.namespace}}"},
        {"name": "hash", "value": "{{args.pod-hash}}"},
    ]
    metric = {"namespace": "Payments", "metricName": "SuccessRate", "dimensions": dimensions}
    query = {"id": "rate", "metricStat": {"metric": metric, "period": 60, "stat": "Average"}}
    return {"cloudWatch": {"interval": "5m", "metricDataQueries": [query]}}


def _plugin(servers: Servers, case: str) -> Object:
    address = _with_password(_guarded(servers, case), servers, case)
    return {"plugin": {"argoproj/sample-prometheus": {"address": address, "query": _PROMQL}}}


def _job(servers: Servers, case: str) -> Object:
    variables = {
        "ADDRESS": _guarded(servers, case),
        "AUTHORIZATION": _basic(servers, case),
        "QUERY": _PROMQL,
    }
    container = {
        "name": "ask",
        "image": servers.python,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _JOB],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {"job": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}}


_LAST = "result[len(result) - 1]"
PROVIDERS = {
    each.name: each
    for each in (
        Provider("prometheus", _prometheus, "result[0]"),
        Provider("datadog-v1", _datadog_v1, "result"),
        Provider("datadog-v2", _datadog_v2, "result"),
        Provider("newrelic", _new_relic, "result.rate", 100 * _THRESHOLD),
        Provider("influxdb", _influxdb, "result[0]"),
        Provider("graphite", _graphite, _LAST),
        Provider("web", _web, "asFloat(result)"),
        Provider("job", _job, ""),
    )
}
"""The providers whose server can be chosen in the metric itself, by name."""

CONTROLLERS = {
    each.name: each
    for each in (
        Provider("cloudwatch", _cloudwatch, "result[0].Values[0]"),
        Provider("plugin", _plugin, "result[0]"),
    )
}
"""The providers that need environment variables or a plugin in the controller, by name."""


def _address(servers: Servers, case: str, service: str, path: str = "") -> str:
    host = {MALFORMED: "html", DOWN: "down"}.get(case, service)
    return servers.url(host) + path


def _guarded(servers: Servers, case: str) -> str:
    """The address of the run's Prometheus behind a password."""
    return _address(servers, case, "saas", "/prometheus")


def _key(servers: Servers, case: str) -> str:
    return "wrong" if case == WRONG_KEY else servers.key


def _basic(servers: Servers, case: str) -> str:
    return "Basic " + base64.b64encode(f"firedamp:{_key(servers, case)}".encode()).decode()


def _with_password(address: str, servers: Servers, case: str) -> str:
    return address.replace("://", f"://firedamp:{_key(servers, case)}@")


def _quoted(query: str) -> str:
    """A query quoted for a URL, except its arguments, which the controller fills in later."""
    parts = query.replace("{{args.", "\0{{args.").replace("}}", "}}\0").split("\0")
    return "".join(part if part.startswith("{{args.") else quote(part, safe="") for part in parts)
