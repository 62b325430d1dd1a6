"""The sample API inside the mesh: injected sidecars, mutual TLS, and a canary on top."""

from __future__ import annotations

from e2e import variants
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import promoted
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import pods_of


def test_a_canary_with_sidecars_is_promoted_without_an_error(trial: StartTrial, numbers: Report) -> None:
    # Not by latency, which on a busy machine is not a verdict on the version.
    variant = variants.combined(variants.judged_by("success-rate"), variants.with_short_pauses)
    with trial("canary", mesh=True, variant=variant) as app:
        pods = pods_of(app.kube, app.namespace, "app=payments")
        containers = [c["name"] for pod in pods for c in pod["spec"]["initContainers"]]
        assert containers.count("istio-proxy") == len(pods) > 0, f"no sidecar was injected: {containers}"
        with app.traffic(rate=100):
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=120)
        answered = assert_no_errors(app.records(), stream="active")
    numbers(requests_through_two_proxies=f"{answered:,}, none failed")
