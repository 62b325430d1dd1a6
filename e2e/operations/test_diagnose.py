"""`firedamp diagnose` names in one line why a Rollout makes no progress, with a command that repairs it."""

from __future__ import annotations

import pytest

from e2e.deadline import give_up_after
from e2e.operations.diagnosing import as_applied, diagnose, diagnosed, rival
from e2e.operations.kubectl_plugin import Plugin
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, judged_by, manifest_of, spec_of, without_analysis
from fixtures.conditions.conditions import aborted, paused_at, promoted
from fixtures.core.errors import ConditionNotMetError
from fixtures.kube.client import Object
from fixtures.kube.kinds import ANALYSIS_TEMPLATE, ROLLOUT, VIRTUAL_SERVICE
from fixtures.timeline.finding_record import FindingRecord
from fixtures.trial.bundle import write_bundle
from fixtures.trial.trial import Trial

_QUERY = "/spec/metrics/0/provider/prometheus/query"


@pytest.mark.scenario("op-3")
def test_pods_that_do_not_run_are_told_apart(trial: StartTrial, plugin: Plugin, numbers: Report) -> None:
    with trial("canary", replicas=1, variant=_patient) as app:
        well = diagnose(app)
        assert (well.code, well.line) == (
            0,
            "nothing is wrong: revision 1 (1.0) is stable and Healthy, 1 pods available",
        )

        app.deploy("1.2-crash")
        crash = diagnosed(app, "crash loop", saying="PAYMENTS_LEDGER_URL")
        assert crash.code == 1
        assert "exited with code 1" in crash.line
        assert crash.line.endswith("needs the environment variable PAYMENTS_LEDGER_URL")

        app.deploy("9.9-unknown", exists=False)
        image = diagnosed(app, "image pull")
        assert image.line.startswith(f"image pull: {app.image}:9.9-unknown cannot be pulled: ")

        _patch(app, {"spec": {"template": {"spec": {"nodeSelector": {"disk": "none-such"}}}}})
        place = diagnosed(app, "unschedulable")
        assert "didn't match Pod's node affinity/selector" in place.line
        assert "nodeSelector disk=none-such" in place.output

        _patch(app, {"spec": {"template": {"spec": {"nodeSelector": None, "hostNetwork": True}}}})
        said = r"promoted: failed after .* violates PodSecurity.*\n  diagnosis of Rollout \S+: pods refused: "
        with pytest.raises(ConditionNotMetError, match=said):
            app.wait(promoted("9.9-unknown"), within=240)
        refused = diagnosed(app, "pods refused")
        assert 'violates PodSecurity "restricted' in refused.line

        assert plugin.follow(refused.advice[-1]).code == 0
        app.wait(promoted("1.0"), within=60)
        assert diagnose(app).code == 0
    numbers(crash_loop=crash.line, image_pull=image.line, unschedulable=place.line, pods_refused=refused.line)


@pytest.mark.scenario("op-3")
def test_a_missed_deadline_says_what_the_pods_lacked(
    trial: StartTrial, plugin: Plugin, numbers: Report
) -> None:
    with trial("canary", replicas=1) as app:
        give_up_after(app, 15)
        app.deploy("1.2-neverready")
        late = diagnosed(app, "progress deadline", saying="statuscode")
        assert late.code == 1
        assert late.line == (
            "progress deadline: revision 2 (1.2-neverready) was not available within 15 s: "
            "Readiness probe failed: HTTP probe failed with statuscode: 503"
        )
        assert plugin.follow(late.advice[0]).code == 0
        app.wait(promoted("1.0"), within=60)

        _patch(app, {"spec": {"strategy": {"canary": {"steps": [{"setWeight": 120}]}}}})
        invalid = diagnosed(app, "invalid spec")
        assert invalid.line.endswith("SetWeight needs to be between 0 and 100")
    numbers(progress_deadline=late.line, invalid_spec=invalid.line)


@pytest.mark.scenario("op-3")
@pytest.mark.violates("one-writer", reason="somebody else writes weights on purpose")
@pytest.mark.violates("pauses", reason="kubectl promotes, of which the timeline has no verb")
def test_a_pause_says_for_whom_it_waits_and_other_writers_of_weights_are_named(
    trial: StartTrial, plugin: Plugin, numbers: Report
) -> None:
    with trial(
        "canary", replicas=1, variant=combined(without_analysis, canary_steps(5, None, 50, "90s"))
    ) as app:
        manifest = as_applied(app, VIRTUAL_SERVICE)
        app.deploy("1.1")
        app.wait(paused_at(1), within=60)
        somebody = diagnosed(app, "paused")
        assert somebody.code == 1
        assert somebody.line.endswith("at step 1/4 (weight 5), a pause without a duration")

        with rival(app.kube, manifest):
            fought = diagnosed(app, "weights fought over")
        assert fought.line.endswith(
            "firedamp sets the canary's weight in VirtualService payments to 0, the controller to 5"
        )

        assert plugin.follow(somebody.advice[0]).code == 0
        app.wait(paused_at(3), within=60)
        time = diagnosed(app, "progressing")
        assert time.code == 0
        assert "paused at step 3/4 (weight 50) for another " in time.line

        app.pause()
        hand = diagnosed(app, "paused")
        assert "somebody set spec.paused" in hand.line
        app.resume()

        app.abort()
        ended = diagnosed(app, "aborted")
        assert "revision 2 (1.1) was aborted by somebody, at " in ended.line
    numbers(
        paused=somebody.line, weights=fought.line, duration=time.line, by_hand=hand.line, aborted=ended.line
    )


@pytest.mark.smoke
@pytest.mark.scenario("op-3")
def test_an_analysis_that_failed_names_metric_value_and_condition_in_the_bundle_too(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary") as app:
        # Enough for an analysis; nothing is judged by it.
        with app.traffic(40):
            app.deploy("1.2-5xx")
            app.wait(aborted(version="1.2-5xx"), within=90)
        failed = diagnosed(app, "analysis failed")
        assert failed.line == (
            "analysis failed: success-rate was 0, and has to meet "
            "len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.95"
        )
        bundle = write_bundle(app.environment, app.namespace, app.folder, AssertionError("planted"))
        assert failed.line in (bundle / "diagnosis.txt").read_text()
    numbers(analysis_failed=failed.line)


@pytest.mark.scenario("op-3")
def test_no_data_is_told_from_a_label_that_no_series_has(trial: StartTrial, numbers: Report) -> None:
    # By one template alone: whichever is the first to give up decides what the diagnosis is about.
    variant = combined(judged_by("success-rate"), canary_steps(5, None), _wrong_path)
    with trial("canary", replicas=1, variant=variant) as app:
        app.deploy("1.1")
        wrong = diagnosed(app, "wrong label")
        assert wrong.code == 1
        assert wrong.line.startswith("wrong label: success-rate got an empty answer: ")
        assert 'no series http_requests_total has path="/payment"; there path is ' in wrong.line
        assert '"/payments"' in wrong.line

        query = _template(app.kube.get(ANALYSIS_TEMPLATE, "success-rate", app.namespace) or {})
        right = [{"op": "replace", "path": _QUERY, "value": query.replace('"/payment"', '"/payments"')}]
        app.kube.patch(ANALYSIS_TEMPLATE, "success-rate", app.namespace, right)
        app.abort()
        app.wait(aborted(), within=30)
        app.retry()
        none = diagnosed(app, "no data", within=120)
        assert "got NaN: its series are there, and count no request" in none.line
    numbers(wrong_label=wrong.line, no_data=none.line)


@pytest.mark.scenario("op-3")
def test_healthy_is_not_all_where_the_analysis_could_not_have_failed(
    trial: StartTrial, numbers: Report
) -> None:
    variant = combined(canary_steps(50, "3s"), judged_by("success-rate"), _without_conditions)
    with trial("canary", replicas=1, variant=variant) as app:
        app.deploy("1.2-5xx")
        app.wait(promoted("1.2-5xx"), within=60)
        diagnosis = diagnose(app)
    # The end of the trial finds the same.
    assert "no-condition" in {each.rule for each in app.records().of(FindingRecord)}
    assert diagnosis.code == 0
    warned = [line for line in diagnosis.output.splitlines() if "[no-condition]" in line]
    assert len(warned) == 1, diagnosis.output
    assert "Healthy, but its analysis could not have failed: AnalysisTemplate success-rate" in warned[0]
    numbers(warning=warned[0].strip())


def _without_conditions(objects: list[Object]) -> None:
    for metric in manifest_of(objects, "AnalysisTemplate", "success-rate")["spec"]["metrics"]:
        del metric["successCondition"], metric["failureCondition"]


def _wrong_path(objects: list[Object]) -> None:
    template = manifest_of(objects, "AnalysisTemplate", "success-rate")
    prometheus = template["spec"]["metrics"][0]["provider"]["prometheus"]
    prometheus["query"] = prometheus["query"].replace('"/payments"', '"/payment"')


def _template(template: Object) -> str:
    return str(template["spec"]["metrics"][0]["provider"]["prometheus"]["query"])


def _patient(objects: list[Object]) -> None:
    spec_of(objects)["progressDeadlineSeconds"] = 600


def _patch(app: Trial, patch: Object) -> None:
    app.kube.patch(ROLLOUT, "payments", app.namespace, patch)
