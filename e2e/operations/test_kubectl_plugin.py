"""`kubectl argo rollouts` shows what is in the cluster, and each command does what its name says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from e2e.operations.kubectl_plugin import Done, Plugin, Started
from e2e.types import Report, StartTrial, Variant
from e2e.variants import canary_steps, combined, strategy_of, without_analysis
from fixtures.conditions.conditions import aborted, degraded, healthy, paused_at, promoted, weight_is
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object
from fixtures.kube.kinds import ROLLOUT
from fixtures.timeline.recorder import observe
from fixtures.trial.trial import Trial
from sample_app import bases

_BY_HAND = combined(without_analysis, canary_steps(5, None, 50, None))


@pytest.mark.scenario("op-2")
@pytest.mark.violates("one-writer", reason="kubectl promotes, aborts and undoes at once: no verb is recorded")
@pytest.mark.violates("pauses", reason="kubectl ends pauses, and the timeline has only what tests do")
def test_each_command_does_what_it_says_and_says_what_is_there(trial: StartTrial, plugin: Plugin) -> None:
    with trial("canary", replicas=1, variant=_BY_HAND) as app:
        watching = plugin.start(app.namespace, "get", "rollout", "payments", "--watch", "--no-color")
        try:
            assert plugin(app.namespace, "status", "payments") == Done(0, "Healthy\n")

            _operate(app, plugin, "set", "image", "payments", f"payments={app.image}:1.1")
            app.wait(paused_at(1), within=60)
            assert _status(app)["currentStepIndex"] == 1
            assert _spec(app)["template"]["spec"]["containers"][0]["image"] == f"{app.image}:1.1"
            _agrees(
                app, plugin, status="Paused", step="1/4", weight=5, images={"1.0": "stable", "1.1": "canary"}
            )
            _shows(watching, "Paused", revision=2)

            _operate(app, plugin, "promote", "payments")
            app.wait(paused_at(3), within=60)
            app.wait(weight_is(50), within=30)
            _agrees(
                app, plugin, status="Paused", step="3/4", weight=50, images={"1.0": "stable", "1.1": "canary"}
            )

            _operate(app, plugin, "abort", "payments")
            app.wait(aborted(version="1.1"), within=30)
            app.wait(weight_is(0), within=30)
            _agrees(app, plugin, status="Degraded", step="0/4", weight=0, images={"1.0": "stable"})
            _shows(watching, "Degraded", revision=2)

            _operate(app, plugin, "retry", "rollout", "payments")
            app.wait(paused_at(1), within=60)
            assert not _status(app).get("abort")

            _operate(app, plugin, "promote", "payments", "--full")
            app.wait(promoted("1.1"), within=90)
            _agrees(app, plugin, status="Healthy", step="4/4", weight=100, images={"1.1": "stable"})

            _operate(app, plugin, "undo", "payments")
            app.wait(paused_at(1), within=60)
            assert _spec(app)["template"]["spec"]["containers"][0]["image"] == f"{app.image}:1.0"
            _operate(app, plugin, "promote", "payments", "--full")
            app.wait(promoted("1.0"), within=60)
            _shows(watching, "Healthy", revision=3)
        finally:
            watching.stop()


@pytest.mark.violates(
    "one-writer", reason="kubectl promotes, deploys and aborts at once: no verb is recorded"
)
@pytest.mark.violates("abort-pods", reason="the same: the pods that go are those of the promotion before")
@pytest.mark.scenario("op-2")
@pytest.mark.violates("pauses", reason="kubectl ends pauses, and the timeline has only what tests do")
def test_status_ends_by_what_became_of_the_rollout(
    trial: StartTrial, plugin: Plugin, numbers: Report
) -> None:
    with trial("canary", replicas=1, variant=_BY_HAND) as app:
        _operate(app, plugin, "set", "image", "payments", f"payments={app.image}:1.1")
        app.wait(paused_at(1), within=60)
        paused = plugin(app.namespace, "status", "payments", "--timeout", "10s")
        assert (paused.code, paused.output.splitlines()[0]) == (1, "Paused - CanaryPauseStep")
        assert "Rollout status watch exceeded timeout" in paused.output
        glance = plugin(app.namespace, "status", "payments", "--watch=false")
        assert glance == Done(0, "Paused - CanaryPauseStep\n")

        waiting = plugin.start(app.namespace, "status", "payments")
        _operate(app, plugin, "promote", "payments", "--full")
        done = waiting.end()
        assert (done.code, done.output.splitlines()[-1]) == (0, "Healthy")

        _operate(app, plugin, "set", "image", "payments", f"payments={app.image}:1.0")
        app.wait(paused_at(1), within=60)
        waiting = plugin.start(app.namespace, "status", "payments")
        _operate(app, plugin, "abort", "payments")
        failed = waiting.end()
        assert failed.code == 1
        assert "Degraded - RolloutAborted: Rollout aborted update to revision 3" in failed.output
        assert plugin(app.namespace, "status", "payments", "--watch=false").code == 1
        assert plugin(app.namespace, "status", "none-such").code == 1
    numbers(
        status_Healthy=done.code,
        status_Degraded=failed.code,
        status_Paused_with_timeout=paused.code,
        status_Paused_without_watch=glance.code,
    )


@pytest.mark.scenario("op-2")
def test_lint_refuses_what_the_controller_refuses_but_for_what_is_missing(
    trial: StartTrial, plugin: Plugin, tmp_path: Path, numbers: Report
) -> None:
    with trial("canary", replicas=1) as app:
        good = _lint(plugin, tmp_path, app, lambda _: None)
        assert good.code == 0, good.output

        impossible = _lint(plugin, tmp_path, app, canary_steps(5, 120))
        assert impossible.code == 1
        assert "SetWeight needs to be between 0 and 100" in impossible.output
        unknown = _lint(plugin, tmp_path, app, _misspelt)
        assert unknown.code == 1
        assert 'unknown field "stepz"' in unknown.output

        # What is not in the file may be in the cluster, but lint asks no cluster.
        missing = _lint(plugin, tmp_path, app, _without_template)
        assert missing.code == 0, missing.output
        for variant, said in (
            (canary_steps(5, 120), "between 0 and 100"),
            (_without_template, "'none-such' not found"),
        ):
            app.apply([each for each in _manifests(app, variant) if each["kind"] == "Rollout"])
            app.wait(degraded(), within=30)
            assert said in _status(app)["message"]
            app.apply([each for each in _manifests(app, lambda _: None) if each["kind"] == "Rollout"])
            app.wait(healthy(), within=30)
    numbers(lint_of_an_impossible_weight=impossible.code, lint_of_a_missing_AnalysisTemplate=missing.code)


def _operate(app: Trial, plugin: Plugin, *words: str) -> Done:
    """Run a command that succeeds, and let no wait after it judge the state before it."""
    done = plugin(app.namespace, *words)
    assert done.code == 0, done.output
    present = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert present is not None
    observe(app.timeline, ROLLOUT, present)
    return done


def _agrees(
    app: Trial, plugin: Plugin, *, status: str, step: str, weight: int, images: dict[str, str]
) -> None:
    """`get` shows what the Rollout's own status says, which is what was to be."""

    def look() -> None:
        own = _status(app)
        shown = plugin(app.namespace, "get", "rollout", "payments", "--no-color").output
        lines = dict(_pairs(shown))
        seen = (own["phase"], lines.get("Step"), lines.get("ActualWeight"))
        agrees = (
            seen == (status, step, str(weight))
            and status in lines["Status"]
            and lines["Ready"] in {str(each.get("readyReplicas")) for each in (own, _status(app))}
            and all(f"{app.image}:{tag} ({role}" in shown for tag, role in images.items())
        )
        if not agrees:
            raise PendingError(f"phase {own['phase']}, and {shown}")

    # The status is written by several reconciliations, of which the condition before saw the first.
    until(look, what=f"get to show {status} at {weight}%", timeout=20)


def _pairs(shown: str) -> list[tuple[str, str]]:
    """The fields that `get` shows above its tree, each once."""
    cut = [line.partition(":") for line in shown.partition("\nNAME")[0].splitlines()]
    return [(name.strip(), value.strip()) for name, _, value in cut if value.strip()]


def _shows(watching: Started, status: str, *, revision: int) -> None:
    """Wait until what `get --watch` printed last is about a revision and has a status."""

    def look() -> None:
        latest = watching.output.rpartition("Name: ")[2]
        if f"revision:{revision}" not in latest or status not in dict(_pairs(latest)).get("Status", ""):
            raise PendingError(latest)

    until(look, what=f"get --watch to show revision {revision} {status}", timeout=60)


def _lint(plugin: Plugin, folder: Path, app: Trial, variant: Variant) -> Done:
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(_manifests(app, variant)))
    return plugin(app.namespace, "lint", "--filename", str(file))


def _manifests(app: Trial, variant: Variant) -> list[Object]:
    objects = bases.load("canary", namespace=app.namespace, tag="1.0", replicas=1, image=app.image)
    variant(objects)
    return objects


def _misspelt(objects: list[Object]) -> None:
    strategy_of(objects)["stepz"] = strategy_of(objects).pop("steps")


def _without_template(objects: list[Object]) -> None:
    strategy_of(objects)["analysis"]["templates"] = [{"templateName": "none-such"}]


def _status(app: Trial) -> Object:
    status: Object = (app.kube.get(ROLLOUT, app.name, app.namespace) or {})["status"]
    return status


def _spec(app: Trial) -> Object:
    spec: Object = (app.kube.get(ROLLOUT, app.name, app.namespace) or {})["spec"]
    return spec
