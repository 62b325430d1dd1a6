"""What may stop a bad version before it has all clients: readiness, analyses, and steps before any weight."""

from __future__ import annotations

import copy

from e2e import variants
from e2e.analysis.metrics import OF_VERSION
from e2e.analysis.variants import template
from e2e.types import Variant
from fixtures.addons.prometheus import ADDRESS
from fixtures.kube.client import Object

# Sends requests at a rate, each over a connection of its own, so that they spread over the Service's pods;
# ends with 1 when more than one in a hundred failed.
_LOAD = """
import concurrent.futures, sys, time, urllib.request
url, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
def send(due):
    # Until its time, whatever the answers do.
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
    """The pods' readiness is found out by `probe` instead of by their health check."""

    def change(objects: list[Object]) -> None:
        (container,) = variants.spec_of(objects)["template"]["spec"]["containers"]
        del container["readinessProbe"]["httpGet"]
        container["readinessProbe"] |= probe

    return change


def load_test(*, rate: float, seconds: float) -> Variant:
    """An AnalysisTemplate `load-test`: a Job that loads the canary's pods by their Service."""

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
    """An AnalysisTemplate `one-request`: a payment request to the canary's Service has to succeed."""
    web = {"url": "http://payments-canary.{{args.namespace}}/payments", "jsonPath": "{$.payments}"}
    metric = {"name": "one-request", "provider": {"web": web}, "consecutiveErrorLimit": 0, "count": 1}
    template("one-request", metric)(objects)


def no_errors(objects: list[Object]) -> None:
    """An AnalysisTemplate `no-errors`: the first 500 that the canary counts is one too many."""
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
