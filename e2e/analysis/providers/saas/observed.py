"""Reads the success rate of each version from the run's Prometheus."""

from __future__ import annotations

import json
import math
import os
import urllib.parse
import urllib.request
from http.client import HTTPResponse

PROMETHEUS = os.environ["PROMETHEUS_URL"]
_SECONDS = 5
_BY = "namespace, rollouts_pod_template_hash"
_ALL = f'sum by ({_BY}) (rate(http_requests_total{{path="/payments"}}[10s]))'
_BAD = f'sum by ({_BY}) (rate(http_requests_total{{path="/payments", code=~"5.."}}[10s]))'
# Without any 5xx, the series of errors may not exist.
_SUCCESS = f"1 - ({_BAD} or {_ALL} * 0) / {_ALL}"


def success_rates() -> dict[tuple[str, str], float]:
    """The share of requests without a 5xx, 0 to 1, by namespace and pod hash; only versions with requests."""
    query = urllib.parse.urlencode({"query": _SUCCESS})
    with ask(f"{PROMETHEUS}/api/v1/query?{query}") as answer:
        all_series = json.load(answer)["data"]["result"]
    rates = {
        (
            series["metric"].get("namespace", ""),
            series["metric"].get("rollouts_pod_template_hash", ""),
        ): float(series["value"][1])
        for series in all_series
    }
    return {version: rate for version, rate in rates.items() if not math.isnan(rate)}


def success_rate(namespace: str, pod_hash: str) -> float | None:
    """The success rate of one version, 0 to 1; None if it got no request."""
    return success_rates().get((namespace, pod_hash))


def ask(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, method: str | None = None
) -> HTTPResponse:
    """Send a request to a server of this cluster.

    Raises:
        OSError: It does not answer, or with a status of 400 or above (`urllib.error.HTTPError`).
    """
    request = urllib.request.Request(url, body, headers or {}, method=method)  # noqa: S310 - no user's URL
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310
    return answer
