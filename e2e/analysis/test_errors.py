"""A metric that could not be measured is an Error, which is counted apart from a failure."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.analysis import runs
from e2e.analysis.metrics import BAD, BARE, GOOD, metric
from e2e.types import EnterClaim, StartTrial
from fixtures.addons import prometheus
from fixtures.core.retry import PendingError
from fixtures.kube.client import Kube, Object, pods_of
from fixtures.kube.kinds import ANALYSIS_RUN
from fixtures.kube.wait import wait_for
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS, holds_if

_THREE_GOOD: dict[str, Any] = {"failureLimit": 0, "count": 3}
_RETRY_SECONDS = 10
# The default of consecutiveErrorLimit.
_ERROR_LIMIT = 4
_IF_THEY_ADD_UP = holds_if(
    "more errors follow each other than consecutiveErrorLimit (default 4) allows; the phase is then Error"
)


@pytest.mark.scenario("an-3")
def test_a_network_error_is_no_failure_and_only_a_row_of_them_ends_the_analysis(
    trial: StartTrial, claim: EnterClaim
) -> None:
    with trial("deployment") as app:
        kube, namespace = app.kube, app.namespace
        flaky = runs.create_without_end(kube, namespace, "flaky")
        gone = runs.create_without_end(kube, namespace, "gone")
        transient, lasting = (metric("m", GOOD, BARE, address=url, **_THREE_GOOD) for url in (flaky, gone))
        metrics = {
            "transient": transient,
            "lasting": lasting,
            "strict": lasting | {"consecutiveErrorLimit": 0},
            "bad": metric("m", BAD, BARE, **_THREE_GOOD),
        }
        for name, each in metrics.items():
            runs.create(kube, namespace, name, each)
        wait_for(kube, ANALYSIS_RUN, "transient", namespace, _require_error, what="an error", timeout=60)
        _lead_to_prometheus(kube, namespace, "flaky")
        ended = {name: runs.ended(kube, namespace, name, within=180) for name in metrics}

        once, often = (runs.measured(ended[name]) for name in ("transient", "lasting"))
        assert "connection refused" in once["measurements"][0]["message"]
        # The next try comes by itself, and may be early for a node that has yet to hear of the endpoint.
        assert 1 <= once["error"] <= _ERROR_LIMIT, once
        assert (once.get("failed", 0), once["successful"]) == (0, 3), once
        assert (often["error"], often.get("failed", 0)) == (5, 0), often
        assert "consecutiveErrors (5) > consecutiveErrorLimit (4)" in ended["lasting"]["message"]
        assert "consecutiveErrors (1) > consecutiveErrorLimit (0)" in ended["strict"]["message"]
        assert (ended["bad"]["phase"], runs.measured(ended["bad"])["failed"]) == ("Failed", 1)
        retries = runs.gaps(often["measurements"])
        # Whatever the interval; a busy controller comes by later than it meant to.
        assert all(_RETRY_SECONDS - 1 <= gap <= 2 * _RETRY_SECONDS for gap in retries), retries
        claim(
            "failureLimit 0 with a transient network error fails the analysis",
            expected=_IF_THEY_ADD_UP,
            found=_verdict({name: status["phase"] for name, status in ended.items()}),
            evidence={
                "connection_refused_then_3_good_values": f"{ended['transient']['phase']}; {once['error']} of"
                f" {_ERROR_LIMIT} errors allowed, 0 failed",
                "refused_for_good": f"{ended['lasting']['phase']} {sum(retries):.0f} s after the first of 5"
                f" errors, retried every {_RETRY_SECONDS} s whatever the interval (1 s); 0 failed",
                "refused_with_consecutiveErrorLimit_0": f"{ended['strict']['phase']} at the first error",
                "one_bad_value": f"{ended['bad']['phase']} at the first",
            },
        )


def _verdict(phases: dict[str, str]) -> str:
    if phases["transient"] != "Successful":
        return HOLDS
    return _IF_THEY_ADD_UP if phases["lasting"] == phases["strict"] == "Error" else DOES_NOT_HOLD


def _require_error(run: Object) -> None:
    results = run.get("status", {}).get("metricResults") or [{}]
    if not results[0].get("error"):
        raise PendingError(str(results[0]))


def _lead_to_prometheus(kube: Kube, namespace: str, service: str) -> None:
    """Give a Service what it lacked: an endpoint, which is the run's Prometheus."""
    (pod,) = pods_of(kube, prometheus.NAMESPACE, f"app={prometheus.SERVICE}")
    labels = {"kubernetes.io/service-name": service}
    kube.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": service, "namespace": namespace, "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": prometheus.PORT, "protocol": "TCP"}],
            "endpoints": [{"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True}}],
        }
    )
