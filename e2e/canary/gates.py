"""Variants that may stop a bad version before it gets all clients: a readiness probe, and analyses."""

from __future__ import annotations

import copy

from e2e import variants
from e2e.analysis.metrics import OF_VERSION
from e2e.analysis.variants import template
from e2e.types import Variant
from fixtures.addons.prometheus import ADDRESS
from fixtures.kube.client import Object

# Sends requests at a rate, each over a new connection, so that they are spread over the Service's pods. Exits
# with 1 if more than one in a hundred failed.
_LOAD = """
import concurrent.futures, sys, time, urllib.request
url, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
def send(due):
    # Sent at its planned time, however slow the answers are.
    time.sleep(max(0.0, due - time.monotonic()))
    try:
        return urllib.request.urlopen(url, timeout=5).status < 400
    except OSError:
        return False
began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    good = list(pool.map(send, [began + i / rate for i in range(int(rate * seconds))]))
print(good.count(False), "of", len(good), "failed")
sys.exit(good.count(False) > len(good) / 100)
"""


def readiness(probe: Object) -> Variant:
    """The readiness probe of the pods is `probe` instead of the request to their health check."""

    def change(objects: list[Object]) -> None:
        (container,) = variants.spec_of(objects)["template"]["spec"]["containers"]
        del container["readinessProbe"]["httpGet"]
        container["readinessProbe"] |= probe

    return change


def load_test(*, rate: float, seconds: float) -> Variant:
    """An AnalysisTemplate `load-test`: a Job that sends load to the canary's Service."""

    def change(objects: list[Object]) -> None:
        rollout = variants.manifest_of(objects, "Rollout")
        arguments = ["http://payments-canary/payments", f"{rate:g}", f"{seconds:g}"]
        pod = copy.deepcopy(rollout["spec"]["template"]["spec"])
        (container,) = pod["containers"]
        del container["readinessProbe"], container["ports"], container["env"]
        container |= {"name": "load", "command": ["python3", "-c", _LOAD, *arguments]}
        pod |= {"restartPolicy": "Never"}
        job = {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
        template("load-test", {"name": "load-test", "provider": {"job": job}})(objects)

    return change


def one_request(objects: list[Object]) -> None:
    """An AnalysisTemplate `one-request`: one request for payments to the canary's Service has to succeed."""
    web = {"url": "http://payments-canary.{{args.namespace}}/payments", "jsonPath": "{$.payments}"}
    metric = {"name": "one-request", "provider": {"web": web}, "consecutiveErrorLimit": 0, "count": 1}
    template("one-request", metric)(objects)


def no_errors(objects: list[Object]) -> None:
    """An AnalysisTemplate `no-errors`: it fails at the first 5xx that the canary counts."""
    labels = f'{OF_VERSION}, path="/payments"'
    prometheus = {
        "address": ADDRESS,
        "query": f'sum(http_requests_total{{{labels}, code=~"5.."}}) or vector(0)',
    }
    metric = {
        "name": "no-errors",
        "interval": "1s",
        "failureCondition": "result[0] > 0",
        "provider": {"prometheus": prometheus},
    }
    template("no-errors", metric)(objects)
