"""The fields of an analysis that are easily misread: what they do is what is documented.

https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
"""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis import runs
from e2e.analysis.metrics import BAD, BARE, GOOD, OF_VERSION, metric, success_rate, wait_until_known
from e2e.analysis.variants import inline, step, template
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.environment.environment import Environment
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import Object
from fixtures.kube.kinds import ANALYSIS_RUN, ROLLOUT
from fixtures.kube.times import unix
from fixtures.trial.trial import ACTIVE, Trial

_SECRET, _HIDDEN = "limits", "0.95"
_DELAY_SECONDS, _TIMES, _KEPT, _KEPT_BY_DEFAULT = 5, 13, 12, 10
_FROM_SECRET = {"secretKeyRef": {"name": _SECRET, "key": "success"}}
_BY_SECRET = {"successCondition": "len(result) > 0 && result[0] >= {{args.limit}}"}
_METRICS = (
    metric("doomed", BAD, BARE, count=3),
    metric("kept", GOOD, BARE, count=_TIMES),
    metric("trimmed", GOOD, BARE, count=_TIMES),
    metric("late", GOOD, BARE, initialDelay=f"{_DELAY_SECONDS}s"),
    metric("by-secret", success_rate(OF_VERSION), _BY_SECRET, failureLimit=2, count=5),
)
_FIELDS: tuple[Object, ...] = (
    {"name": "app", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    {"name": "stable-hash", "valueFrom": {"podTemplateHashValue": "Stable"}},
)


@pytest.mark.scenario("an-11")
def test_dry_run_retention_delay_count_and_arguments_are_as_documented(
    trial: StartTrial, numbers: Report
) -> None:
    arguments = ({"name": "limit", "valueFrom": _FROM_SECRET}, {"name": "app"}, {"name": "stable-hash"})
    analysis = step(
        "fields",
        *_FIELDS,
        dryRun=[{"metricName": "doomed"}],
        measurementRetention=[{"metricName": "kept", "limit": _KEPT}],
    )
    variant = variants.combined(
        _with_secret, template("fields", *_METRICS, args=arguments), inline(25, None, analysis, 100)
    )
    with trial("canary", variant=variant) as app:
        before = _rollout(app)["status"]
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(all_of(paused_at(1), weight_is(25)), within=90)
            wait_until_known(app)
            app.promote()
            app.wait(promoted("1.1"), within=120)
        answered = assert_no_errors(app.records(), stream=ACTIVE)
        (run,) = app.kube.list(ANALYSIS_RUN, app.namespace)[0]
        status = run["status"]
        assert status["phase"] == "Successful"
        doomed = runs.measured(status, "doomed")
        assert (doomed["phase"], doomed["failed"], doomed["dryRun"]) == ("Failed", 1, True), doomed
        assert status["dryRunSummary"] == {"count": 1, "failed": 1}
        sizes = {name: _sizes(status, name) for name in ("kept", "trimmed")}
        assert sizes == {"kept": (_TIMES, _KEPT), "trimmed": (_TIMES, _KEPT_BY_DEFAULT)}
        waited = _waited(status, "late")
        assert _DELAY_SECONDS - 1 <= waited <= _DELAY_SECONDS + 15, f"the first came after {waited:.0f} s"
        assert runs.measured(status, "by-secret")["phase"] == "Successful"
        after = _rollout(app)["status"]
        assert {arg["name"]: arg.get("value") for arg in run["spec"]["args"]} == {
            "namespace": app.namespace,
            "app": "payments",
            "pod-hash": after["currentPodHash"],
            "stable-hash": before["stableRS"],
            "limit": None,  # a reference; the value stays in the Secret
        }
    numbers(
        dry_run="1 metric Failed, the analysis Successful, promoted",
        measurements_kept=f"{_KEPT_BY_DEFAULT} of {_TIMES}; {_KEPT} with measurementRetention",
        initialDelay=f"{waited:.0f} s (asked: {_DELAY_SECONDS})",
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("an-11")
def test_arguments_from_secrets_are_required_and_do_not_stay_secret_in_a_query(
    environment: Environment, numbers: Report
) -> None:
    kube = environment.kube
    with runs.namespace(kube) as namespace:
        kube.apply(_secret(namespace))
        in_condition = metric("m", GOOD, _BY_SECRET)
        in_query = metric("m", "vector({{args.limit}})", BARE)
        queries = {
            "good": (in_condition, _SECRET, "success"),
            "too-high": (in_condition, _SECRET, "impossible"),
            "no-secret": (in_condition, "absent", "success"),
            "no-key": (in_condition, _SECRET, "absent"),
            "in-query": (in_query, _SECRET, "success"),
        }
        for name, (each, secret, key) in queries.items():
            reference = {"secretKeyRef": {"name": secret, "key": key}}
            runs.create(kube, namespace, name, each, args=[{"name": "limit", "valueFrom": reference}])
        ended = {name: runs.ended(kube, namespace, name) for name in queries}

    phases = {name: status["phase"] for name, status in ended.items()}
    assert phases == {
        "good": "Successful", "too-high": "Failed", "in-query": "Successful",
        "no-secret": "Error", "no-key": "Error",
    }  # fmt: skip
    assert 'secrets "absent" not found' in ended["no-secret"]["message"]
    assert "key 'absent' does not exist in secret 'limits'" in ended["no-key"]["message"]
    assert _HIDDEN not in str(ended["good"])
    shown = runs.measured(ended["in-query"])["metadata"]["ResolvedPrometheusQuery"]
    assert shown == f"vector({_HIDDEN})", "the status no longer tells the secret; see docs/findings.md"
    numbers(secret_in_a_query=f"readable in the AnalysisRun's status: {shown}")


def _with_secret(objects: list[Object]) -> None:
    objects.append(_secret(objects[0]["metadata"]["namespace"]))


def _secret(namespace: str) -> Object:
    metadata = {"name": _SECRET, "namespace": namespace}
    values = {"success": _HIDDEN, "impossible": "1.5"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def _rollout(app: Trial) -> Object:
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    return rollout


def _sizes(status: Object, name: str) -> tuple[int, int]:
    """How often a metric was measured, and how many of these measurements are kept."""
    result = runs.measured(status, name)
    return result["count"], len(result["measurements"])


def _waited(status: Object, name: str) -> float:
    """Seconds from the start of a run to the first measurement of a metric."""
    first = runs.measured(status, name)["measurements"][0]["startedAt"]
    return unix(first) - unix(status["startedAt"])
