"""What the run's Prometheus answers to a query."""

from __future__ import annotations

from fixtures.diagnosis.prometheus import Prometheus
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object

# It may just have come back.
_SECONDS = 30.0


def ask(environment: Environment, query: str) -> list[Object]:
    """The series of the answer, each with `metric`, and `value` or `values`."""
    return Prometheus.on_loopback(environment.prometheus_url, timeout=_SECONDS).series(query)
