"""What the run's Prometheus answers to a query."""

from __future__ import annotations

import requests

from fixtures.cluster.kube import Object
from fixtures.environment import Environment


def ask(environment: Environment, query: str) -> list[Object]:
    """The series of the answer, with `metric` and `value` or `values`."""
    answer = requests.get(f"{environment.prometheus_url}/api/v1/query", params={"query": query}, timeout=10)
    answer.raise_for_status()
    series: list[Object] = answer.json()["data"]["result"]
    return series
