"""What Prometheus has of the requests that somebody else counted: a version itself, or the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.promql import ask
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.verdicts import Window, requests, versions_by_hash
from fixtures.kube.client import Object
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import Trial

# A scrape is read at most its timeout after its timestamp: scrape_timeout in
# fixtures/addons/prometheus/objects.yaml.
_READ_WITHIN = 1.0


@dataclass(frozen=True)
class Counted:
    """Requests counted between two scrapes, and how many of them were answered with 500."""

    window: Window
    requests: int
    failed: int


def counted_by(app: Trial, version: str, *, seconds: int) -> Counted:
    """What a version with a single pod counted itself, whoever got the answer; see `counted_lately`."""
    (pod_hash,) = [found for found, tag in versions_by_hash(app.records()).items() if tag == version]
    labels = f'namespace="{app.namespace}", rollouts_pod_template_hash="{pod_hash}", path="/payments"'
    return counted_lately(app, f"http_requests_total{{{labels}}}", seconds=seconds)


def counted_lately(app: Trial, selector: str, *, seconds: int) -> Counted:
    """What the counters of one process grew by between the first and the last scrape of the last `seconds`.

    Args:
        app: The trial that they are about.
        selector: In PromQL; all its series must be scraped at once, and none have begun anew.
        seconds: To look back.

    Raises:
        ConditionNotMetError: They were not scraped for most of that time.
    """
    # One question for all codes: between two, the oldest scrape may have gone by.
    series = ask(app.environment, f"{selector}[{seconds}s]")
    all_codes = _samples(series)
    failures = _samples([each for each in series if "500" in _codes(each)])
    start, end = min(all_codes, default=0.0), max(all_codes, default=0.0)
    if end - start < seconds / 2:
        raise ConditionNotMetError(f"{selector} was scraped for {end - start:.1f} of the last {seconds} s")
    grew = [round(samples.get(end, 0) - samples.get(start, 0)) for samples in (all_codes, failures)]
    return Counted(Window(start, end), *grew)


def countable(records: Recording, window: Window, *streams: str) -> tuple[int, int]:
    """How many requests of some streams may have been counted between two scrapes: no fewer, and no more.

    No fewer than were sent and answered between them; no more than were on their way at some time then. In
    a gateway that stalls, requests of two seconds may be on their way at once.
    """
    sent = [each for stream in streams for each in requests(records, stream)]
    fewest = sum(each.t >= window.start + _READ_WITHIN and each.received <= window.end for each in sent)
    most = sum(each.received >= window.start and each.t <= window.end + _READ_WITHIN for each in sent)
    return fewest, most


def _codes(series: Object) -> set[str]:
    """The status that a series counts, as the app and as Istio call it."""
    return {series["metric"].get(label, "") for label in ("code", "response_code")}


def _samples(found: list[Object]) -> dict[float, float]:
    """The sum of some series at each scrape, by its time."""
    sums: dict[float, float] = {}
    for series in found:
        for t, value in series["values"]:
            sums[t] = sums.get(t, 0.0) + float(value)
    return sums
