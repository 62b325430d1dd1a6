"""The metrics of a stand-in: counters and histograms of the requests that it serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from .settings import Metric

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_PATHS = 100
_SERVER_ERROR = 500
_GRPC_INTERNAL = 13
_GRPC_NAMES = {0: "OK", 2: "Unknown", 5: "NotFound", 12: "Unimplemented", 13: "Internal", 14: "Unavailable"}
_SERIES = {1: "INFORMATIONAL", 2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR", 5: "SERVER_ERROR"}

Update = Callable[[float], None]
"""Called with the duration of a request, in seconds."""


@dataclass(frozen=True)
class Served:
    """How one request was answered.

    Attributes:
        method: Its method.
        path: Its path.
        status: The status of HTTP.
        grpc: The status of gRPC; None if it was no gRPC call.
    """

    method: str
    path: str
    status: int
    grpc: int | None = None

    @property
    def failed(self) -> bool:
        """Whether the server failed."""
        return self.status >= _SERVER_ERROR or self.grpc not in {None, 0}

    @property
    def grpc_code(self) -> int:
        """The status of gRPC; for a plain request the one that says the same."""
        if self.grpc is not None:
            return self.grpc
        return _GRPC_INTERNAL if self.failed else 0


_VALUES: Mapping[str, Callable[[Served], str]] = {
    "code": lambda served: str(served.status),
    "code-class": lambda served: f"{served.status // 100}xx",
    "first-digit": lambda served: str(served.status // 100),
    "classification": lambda served: "failure" if served.failed else "success",
    "series": lambda served: _SERIES.get(served.status // 100, "UNKNOWN"),
    "grpc-name": lambda served: _GRPC_NAMES.get(served.grpc_code, "Unknown"),
    "grpc-number": lambda served: str(served.grpc_code),
    "method": lambda served: served.method,
    "path": lambda served: served.path,
}


class Metrics:
    """All metrics of a stand-in. A series begins with its first request, as with the usual libraries."""

    def __init__(self, described: Sequence[Metric], routes: Sequence[str], own: Mapping[str, str]) -> None:
        """Take what is to be exposed.

        Args:
            described: The metrics.
            routes: Paths with parameters.
            own: The values of `version`, `pod`, `namespace` and `hash`, which are the same for each request.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._collected = [_collected(each, self._registry, own) for each in described]
        self._paths = _Paths(routes)
        self._updates: dict[tuple[str, str, int, int | None], list[Update]] = {}

    def record(self, served: Served, seconds: float) -> None:
        """Count one answered request."""
        # Label values are bounded, whatever clients send.
        method = served.method if served.method in _METHODS else "other"
        key = (method, self._paths.of(served.path), served.status, served.grpc)
        updates = self._updates.get(key)
        if updates is None:
            counted = Served(*key)
            updates = self._updates[key] = [found for each in self._collected if (found := each(counted))]
        for update in updates:
            update(seconds)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Paths:
    """The values of labels that have a path."""

    def __init__(self, routes: Sequence[str]) -> None:
        self._routes = [(re.compile(_pattern(each)), each) for each in routes]
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The path, its route, or `other` once there are too many of them."""
        found = self._known.get(path)
        if found is None:
            found = next((route for pattern, route in self._routes if pattern.fullmatch(path)), path)
            if len(self._known) >= _MOST_PATHS:
                return found if found != path else "other"
            self._known[path] = found
        return found


def _pattern(route: str) -> str:
    return re.sub(r"\\\{[^/]*?\\\}|:\w+", "[^/]+", re.escape(route))


def _collected(
    described: Metric, registry: CollectorRegistry, own: Mapping[str, str]
) -> Callable[[Served], Update | None]:
    """Expose a metric; what is returned says how a request changes it, or None if it does not count."""
    roles = described["labels"]
    fixed = {label: own[role] for label, role in roles.items() if role in own} | described["fixed"]
    values = {label: _VALUES[role] for label, role in roles.items() if role not in own}
    names = [*fixed, *values]
    counts, factor = described["counts"], described["per_second"]
    about = "Requests answered by a stand-in."
    if described["kind"] == "histogram":
        histogram = Histogram(described["name"], about, names, buckets=described["bounds"], registry=registry)
    else:
        gauge = Gauge(described["name"], about, names, registry=None)
        registry.register(_Untyped(gauge))

    def update_of(served: Served) -> Update | None:
        if counts != "all" and served.failed != (counts == "bad"):
            return None
        shown = [*fixed.values(), *(value(served) for value in values.values())]
        if described["kind"] == "histogram":
            observe = (histogram.labels(*shown) if names else histogram).observe
            return lambda seconds: observe(seconds * factor)
        increase = (gauge.labels(*shown) if names else gauge).inc
        return lambda _: increase()

    return update_of


class _Untyped(Collector):
    """A counter under exactly its name: the library's own adds `_total`, which not every convention has."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def collect(self) -> list[Family]:
        found = list(self._gauge.collect())
        for each in found:
            each.type = "unknown"
        return found
