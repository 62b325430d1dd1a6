"""What an analysis can ask Prometheus about the traffic of one version, beside what was really sent."""

from __future__ import annotations

import pytest

from e2e.promql import ask
from e2e.types import Report, StartTrial
from fixtures.core.retry import PendingError, until
from fixtures.trial import Trial

_RATE = 100.0
_QUERIES = {
    "of the application": 'http_requests_total{{namespace="{namespace}", path="/payments"}}',
    "of Istio": 'istio_requests_total{{destination_service_namespace="{namespace}",'
    ' destination_service_name="payments-stable", reporter="source", response_code="200"}}',
}


def test_prometheus_counts_the_requests_that_were_sent(trial: StartTrial, numbers: Report) -> None:
    with trial("canary") as app, app.traffic(rate=_RATE) as traffic:
        for name, query in _QUERIES.items():
            rate = until(lambda query=query: _rate(app, query), what=f"rate {name}", timeout=90, interval=0.5)  # type: ignore[misc]
            assert rate == pytest.approx(_RATE, rel=0.2), f"metric {name}: {rate:.0f}/s"
            numbers(**{f"requests/s by the metric {name}": f"{rate:.1f} (sent: {_RATE:.0f})"})
        traffic.require_flowing()


def _rate(app: Trial, query: str) -> float:
    """The rate over the last 10 s, once Prometheus has seen as much."""
    series = query.format(namespace=app.namespace)
    full = f"sum(rate({series}[10s])) and min(count_over_time({series}[11s])) >= 10"
    found = ask(app.environment, full)
    if not found:
        raise PendingError(f"{series} has less than 10 s of samples")
    return float(found[0]["value"][1])
