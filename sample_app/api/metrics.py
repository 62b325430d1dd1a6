"""The metrics that the analysis reads: requests by outcome, and how long they took."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

_PATHS = frozenset({"/payments", "/healthz", "/metrics"})
_METHODS = frozenset({"GET", "POST"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """`http_requests_total` and `http_request_duration_seconds` (seconds inside the application)."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests", "Requests answered.", ["code", "method", "path"], registry=self._registry
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's head to the response's end.",
            ["method", "path"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._show_what_has_not_happened_yet()

    def record(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        # Label values are bounded, whatever clients send.
        method = method if method in _METHODS else "other"
        path = path if path in _PATHS else "other"
        self._requests.labels(str(status), method, path).inc()
        self._duration.labels(method, path).observe(seconds)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _show_what_has_not_happened_yet(self) -> None:
        """Start the series of payments at 0, since rate() cannot see a series' first increment.

        https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
        """
        for method, good in (("GET", "200"), ("POST", "201")):
            for code in (good, "500"):
                self._requests.labels(code, method, "/payments")
            self._duration.labels(method, "/payments")
