"""What a stand-in is told about the app in whose place it runs: ports, probes, metrics."""

from __future__ import annotations

from typing import Literal, TypedDict

POD_VARIABLE, NAMESPACE_VARIABLE, HASH_VARIABLE = (
    "FIREDAMP_POD",
    "FIREDAMP_POD_NAMESPACE",
    "FIREDAMP_POD_HASH",
)
"""The environment variables with the pod's name, its namespace, and the hash of its template."""

HOST_VARIABLE = "FIREDAMP_HOST"
"""The environment variable with the address to listen on; without it, on every one of the pod."""

KUBELET = "kube-probe/"
"""The beginning of the User-Agent of the kubelet's probes, unless the probe has one of its own."""


class Probe(TypedDict):
    """One probe of the app's container.

    Attributes:
        use: What it decides.
        kind: How the kubelet asks.
        port: The port that it asks.
        path: The path of an HTTP probe without its query, or the service of a gRPC probe; else "".
        agent: The beginning of the User-Agent of an HTTP probe.
    """

    use: Literal["readiness", "liveness", "startup"]
    kind: Literal["http", "grpc", "tcp"]
    port: int
    path: str
    agent: str


class Metric(TypedDict):
    """One metric of requests.

    Attributes:
        name: The name of the counter as it is exposed, or that of the histogram without `_bucket`.
        kind: A counter, or a histogram of durations.
        per_second: What a histogram observes for one second: 1 for seconds, 1000 for milliseconds.
        bounds: The upper bounds of the histogram's buckets, rising.
        counts: Which requests it counts.
        labels: For each label, what its value is: a member of `outcomes`, or `method`, `path`, `version`,
            `pod`, `namespace`, `hash`.
        fixed: The labels whose values are the same for each request.
    """

    name: str
    kind: Literal["counter", "histogram"]
    per_second: float
    bounds: list[float]
    counts: Literal["all", "good", "bad"]
    labels: dict[str, str]
    fixed: dict[str, str]


class StandIn(TypedDict):
    """The app in whose place this process runs.

    Attributes:
        ports: The TCP ports to listen on.
        probes: The probes of its container.
        scrape_port: The port on which Prometheus asks for metrics; 0 if it does not.
        scrape_path: The path that it asks.
        metrics: The metrics that it exposes.
        routes: Paths with parameters, such as `/orders/{id}`; a request that fits one is counted under it.
        linger: Seconds from SIGTERM to the closed ports.
    """

    ports: list[int]
    probes: list[Probe]
    scrape_port: int
    scrape_path: str
    metrics: list[Metric]
    routes: list[str]
    linger: float
