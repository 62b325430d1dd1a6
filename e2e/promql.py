"""Asks the run's Prometheus."""

from __future__ import annotations

from fixtures.diagnosis.prometheus import Prometheus
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object

# Long, because Prometheus may just have been restarted.
_SECONDS = 30.0


def ask(environment: Environment, query: str) -> list[Object]:
    """The series that answer a query in PromQL, each with `metric`, and `value` or `values`."""
    return Prometheus.on_loopback(environment.prometheus_url, timeout=_SECONDS).series(query)
