"""What the controller does while there is nothing to do."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from e2e.analysis.metrics import BARE, GOOD, metric
from e2e.analysis.variants import background, template
from e2e.controller_pod import ask_controller
from e2e.touching import touch_replica_sets
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined
from fixtures.conditions.conditions import paused_at
from fixtures.trial.trial import Trial

_METRICS_PORT = 8090
_TOUCHES, _SECONDS = 3, 2.0
# A measurement each minute: none is due while the test looks.
_RARE = metric("rare", GOOD, BARE, count=100, interval="60s")


@pytest.mark.scenario("can-22")
def test_in_a_pause_the_controller_writes_no_replica_set_and_looks_only_when_something_changes(
    trial: StartTrial, numbers: Report
) -> None:
    change = combined(canary_steps(20, None), template("rare", _RARE), background("rare"))
    with trial("canary", variant=change) as app:
        app.deploy("1.1")
        app.wait(paused_at(1), within=60)
        app.holds(paused_at(1), for_=_SECONDS)
        before = _counts(app)
        for part in range(_TOUCHES):
            touch_replica_sets(app, part)
            app.holds(paused_at(1), for_=_SECONDS)
        after = _counts(app)
    looked = after["rollout_reconcile"] - before["rollout_reconcile"]
    assert looked >= 1, "the controller did not look at the Rollout at all, so this proved nothing"
    # Each touch is a change of two ReplicaSets.
    assert looked <= 10 * _TOUCHES, f"the controller looked {looked:.0f} times at the Rollout"
    analysed = after["analysis_run_reconcile"] - before["analysis_run_reconcile"]
    assert analysed <= 5, f"the controller looked {analysed:.0f} times at the AnalysisRun"
    wrote = after["replica_sets_written"] - before["replica_sets_written"]
    assert wrote == 0, f"the controller wrote {wrote:.0f} times to ReplicaSets of which nothing changed"
    numbers(
        **{f"in {_TOUCHES * _SECONDS:.0f} s": f"looked {looked:.0f} times at the Rollout, "
        f"{analysed:.0f} times at the AnalysisRun, wrote {wrote:.0f} times to ReplicaSets"}
    )  # fmt: skip


def _counts(app: Trial) -> dict[str, float]:
    """How often the controller looked at the trial's objects and wrote its ReplicaSets since it started.

    https://argo-rollouts.readthedocs.io/en/stable/features/controller-metrics/
    """
    counts = {"rollout_reconcile": 0.0, "analysis_run_reconcile": 0.0, "replica_sets_written": 0.0}
    for family in text_string_to_metric_families(ask_controller(app.kube, _METRICS_PORT, "metrics")):
        for sample in family.samples:
            if sample.labels.get("namespace") != app.namespace:
                continue
            if sample.name.removesuffix("_count") in counts:
                counts[family.name] += sample.value
            elif sample.name == "controller_clientset_k8s_request_total":
                is_write = sample.labels["verb"] in ("Update", "Patch")
                if sample.labels["kind"] == "replicasets" and is_write:
                    counts["replica_sets_written"] += sample.value
    return counts
