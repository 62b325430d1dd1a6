"""`firedamp diagnose` tells causes that stand one behind the other, and those beside the app's container."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from e2e.canary.experiments import CANARY, side_by_side
from e2e.deadline import give_up_after
from e2e.operations.diagnosing import as_applied, diagnosed, rival
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import paused_at, promoted
from fixtures.core.errors import ConditionNotMetError
from fixtures.faults.repeated import repeat
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import ANALYSIS_TEMPLATE, CONFIG_MAP, ROLLOUT
from fixtures.trial.trial import Trial

_TEMPLATE = "success-rate"


@pytest.mark.scenario("op-3")
def test_each_call_names_the_next_cause_and_says_how_many_are_behind_it(
    trial: StartTrial, numbers: Report
) -> None:
    variant = combined(without_analysis, _patient, canary_steps(5, None))
    with trial("canary", replicas=1, variant=variant) as app:
        (payments,) = _containers(app)
        settings = {"configMapRef": {"name": "settings"}}
        helper = {**payments, "name": "helper", "image": f"{app.image}:9.9-unknown", "ports": []}
        helper = {key: value for key, value in helper.items() if not key.endswith("Probe")}
        lacking = {**payments, "envFrom": [settings]}

        _set(app, containers=[lacking, helper])
        both = diagnosed(app, "image pull", saying="9.9-unknown")
        assert "  behind it, 1 more cause is seen:\n    container not made: " in both.output

        _set(app, containers=[lacking])
        said = r'diagnosis of Rollout payments: container not made: .*configmap "settings" not found'
        with pytest.raises(ConditionNotMetError, match=said):
            app.wait(promoted("1.0"), within=120)
        made = diagnosed(app, "container not made")
        assert "behind it" not in made.output

        _make_settings(app)
        app.wait(paused_at(1), within=90)
        manifest = as_applied(app, ANALYSIS_TEMPLATE, _TEMPLATE)
        with rival(app.kube, manifest), _editor(app.kube, app.namespace):
            fought = diagnosed(app, "spec fought over")
        assert "firedamp" in fought.line
        assert f"spec.metrics of AnalysisTemplate {_TEMPLATE}" in fought.line
        assert "behind it, 1 more cause is seen:\n    paused: " in fought.output

        mounted = {**payments, "volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}
        _set(app, containers=[mounted], volumes=[{"name": "tls", "secret": {"secretName": "none-such"}}])
        mount = diagnosed(app, "volume not mounted", saying='secret "none-such" not found')
    numbers(first=both.line, second=made.line, rivals=fought.line, mount=mount.line)


@pytest.mark.scenario("op-3")
def test_an_experiment_that_does_not_begin_says_which_template_and_why(
    trial: StartTrial, numbers: Report
) -> None:
    steps = canary_steps(side_by_side(weight=10, measurements=24), None)
    with trial("canary", replicas=1, variant=combined(without_analysis, steps)) as app:
        give_up_after(app, 15)
        app.deploy("1.2-neverready")
        late = diagnosed(app, "experiment failed")
        assert late.code == 1
        assert late.line.startswith(
            f"experiment failed: Template '{CANARY}' exceeded its progressDeadlineSeconds (15): "
        )
        assert "Readiness probe failed" in late.line
        assert "template baseline Successful" in late.output
    numbers(experiment=late.line)


@pytest.mark.scenario("op-3")
def test_a_sidecar_and_an_init_container_that_keep_a_pod_waiting_are_named(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", replicas=1, variant=combined(without_analysis, _patient)) as app:
        (payments,) = _containers(app)
        helper = copy.deepcopy(payments)
        helper |= {"name": "helper", "image": f"{app.image}:1.2-neverready", "ports": []}
        helper["env"] = [*(helper.get("env") or []), {"name": "PORT", "value": "8099"}]
        helper["readinessProbe"]["httpGet"]["port"] = 8099
        migrate = {key: value for key, value in payments.items() if not key.endswith("Probe")}

        _set(app, containers=[payments, helper])
        sidecar = diagnosed(app, "sidecar not ready", saying="container helper of ", within=120)

        _set(app, containers=[payments], initContainers=[{**migrate, "name": "migrate", "ports": []}])
        init = diagnosed(app, "init container still runs", saying="init container migrate", within=120)
    numbers(sidecar=sidecar.line, init=init.line)


def _containers(app: Trial) -> list[Object]:
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    containers: list[Object] = rollout["spec"]["template"]["spec"]["containers"]
    return containers


def _set(app: Trial, **pod: object) -> None:
    app.kube.patch(ROLLOUT, app.name, app.namespace, {"spec": {"template": {"spec": pod}}})


def _make_settings(app: Trial) -> None:
    metadata = {"name": "settings", "namespace": app.namespace}
    app.kube.create(
        {"apiVersion": CONFIG_MAP.api_version, "kind": CONFIG_MAP.kind, "metadata": metadata, "data": {}}
    )


def _patient(objects: list[Object]) -> None:
    for each in objects:
        if each["kind"] == "Rollout":
            each["spec"]["progressDeadlineSeconds"] = 600


@contextmanager
def _editor(kube: Kube, namespace: str) -> Iterator[None]:
    """Somebody who sets the interval of the template's metric to 7 s, again and again."""
    edit = [{"op": "replace", "path": "/spec/metrics/0/interval", "value": "7s"}]
    with ExitStack() as undoing:
        repeat(lambda: kube.patch(ANALYSIS_TEMPLATE, _TEMPLATE, namespace, edit), 0.3, undoing, name="editor")
        yield
