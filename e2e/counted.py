"""How many requests a version, or the gateway, has counted itself, read from Prometheus."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.promql import ask
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.verdicts import Window, requests, versions_by_hash
from fixtures.kube.client import Object
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import Trial

# A target is read at most scrape_timeout after the timestamp of the scrape; see
# fixtures/addons/prometheus/objects.yaml.
_READ_WITHIN = 1.0


@dataclass(frozen=True)
class Counted:
    """The requests that were counted between two scrapes, and how many of them were answered with 500."""

    window: Window
    requests: int
    failed: int


def counted_by(app: Trial, version: str, *, seconds: int) -> Counted:
    """What a version with a single pod counted itself, whoever sent the requests; see `counted_lately`."""
    (pod_hash,) = [known for known, tag in versions_by_hash(app.records()).items() if tag == version]
    labels = f'namespace="{app.namespace}", rollouts_pod_template_hash="{pod_hash}", path="/payments"'
    return counted_lately(app, f"http_requests_total{{{labels}}}", seconds=seconds)


def counted_lately(app: Trial, selector: str, *, seconds: int) -> Counted:
    """By how much the counters of one process grew from the first to the last scrape of the last `seconds`.

    Args:
        app: The trial whose requests were counted.
        selector: The series, in PromQL. All must be of the same scrapes, and no counter may have been reset.
        seconds: How far to look back.

    Raises:
        ConditionNotMetError: The series were scraped for less than half of that time.
    """
    # One query for all codes: between two queries, the oldest scrape may fall out of the time.
    series = ask(app.environment, f"{selector}[{seconds}s]")
    all_codes = _samples(series)
    failures = _samples([each for each in series if "500" in _codes(each)])
    start, end = min(all_codes, default=0.0), max(all_codes, default=0.0)
    if end - start < seconds / 2:
        raise ConditionNotMetError(f"{selector} was scraped for {end - start:.1f} of the last {seconds} s")
    grew = [round(samples.get(end, 0) - samples.get(start, 0)) for samples in (all_codes, failures)]
    return Counted(Window(start, end), *grew)


def countable(records: Recording, window: Window, *streams: str) -> tuple[int, int]:
    """The least and the greatest number of requests that may have been counted between two scrapes.

    The least: requests that were sent and answered between the scrapes. The greatest: all that were under
    way at some time between them. If the gateway stalls, that can be the requests of two seconds.
    """
    sent = [each for stream in streams for each in requests(records, stream)]
    fewest = sum(each.t >= window.start + _READ_WITHIN and each.received <= window.end for each in sent)
    most = sum(each.received >= window.start and each.t <= window.end + _READ_WITHIN for each in sent)
    return fewest, most


def _codes(series: Object) -> set[str]:
    """The status code that a series counts, by the label of the app or that of Istio."""
    return {series["metric"].get(label, "") for label in ("code", "response_code")}


def _samples(all_series: list[Object]) -> dict[float, float]:
    """The sum of some series at each scrape, by its time."""
    sums: dict[float, float] = {}
    for series in all_series:
        for t, value in series["values"]:
            sums[t] = sums.get(t, 0.0) + float(value)
    return sums
