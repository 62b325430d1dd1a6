"""What the run's Prometheus answers to a query."""

from __future__ import annotations

import requests

from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object


def ask(environment: Environment, query: str) -> list[Object]:
    """The series of the answer, with `metric` and `value` or `values`."""
    url = f"{environment.prometheus_url}/api/v1/query"

    def answer() -> requests.Response:
        try:
            return loopback.get(url, params={"query": query}, timeout=10)
        except requests.RequestException as error:
            raise PendingError(str(error)) from error

    # It may just have come back, and nodes take a moment to lead to it.
    answered = until(answer, what="an answer of Prometheus", timeout=30)
    answered.raise_for_status()
    series: list[Object] = answered.json()["data"]["result"]
    return series
