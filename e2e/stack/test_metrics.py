"""Compares the traffic that Prometheus has counted for one version with what was really sent."""

from __future__ import annotations

import pytest

from e2e.counted import countable, counted_lately
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import healthy
from fixtures.judge.verdicts import ENOUGH, requests
from fixtures.trial.trial import ACTIVE

_RATE = 100.0
# Longer than the 1,000 requests of a verdict take, and than Prometheus takes to find a new pod.
_SCRAPED = 25
_COUNTERS = {
    "of the application": 'http_requests_total{{namespace="{namespace}", path="/payments"}}',
    "of Istio": 'istio_requests_total{{destination_service_namespace="{namespace}",'
    ' destination_service_name="payments-stable", reporter="source", response_code="200"}}',
}


@pytest.mark.smoke
def test_prometheus_counts_the_requests_that_were_sent(trial: StartTrial, numbers: Report) -> None:
    # One pod, so that all of the application's series are scraped at once.
    with trial("canary", replicas=1) as app:
        with app.traffic(_RATE):
            app.holds(healthy(), for_=_SCRAPED)
            counted = {
                name: counted_lately(app, series.format(namespace=app.namespace), seconds=_SCRAPED)
                for name, series in _COUNTERS.items()
            }
        records = app.records()
    for name, count in counted.items():
        sent = len(requests(records, ACTIVE, count.window))
        assert sent >= ENOUGH, f"only {sent:,} requests between two scrapes"
        fewest, most = countable(records, count.window, ACTIVE)
        assert fewest <= count.requests <= most, (
            f"metric {name}: {count.requests:,} were counted, {fewest:,} to {most:,} sent"
        )
        numbers(**{f"by the metric {name}": f"{count.requests:,}, of {fewest:,} to {most:,} sent"})
