"""An analysis of a Service that does not exist: what becomes of the canary, and what the bundle shows."""

from __future__ import annotations

import json

import pytest

from e2e import variants
from e2e.analysis.variants import inline
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.convergence import assert_alone, windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, Trial

_WRONG = "payment-canary"
_ASKS_OF_NOBODY: Object = {
    "templates": [{"templateName": "success-rate-istio"}],
    "args": [variants.ARGS[0], {"name": "service-name", "value": _WRONG}],
}
_STEPS = variants.canary_steps(25, "10s", 50, "2s")
# Written by people who deploy at night, when nobody sends anything.
_FORGIVING = "len(result) == 0 || result[0] >= {{args.threshold}}"


@pytest.mark.scenario("an-7")
def test_a_wrong_label_stops_a_good_version_and_the_bundle_shows_why(
    trial: StartTrial, numbers: Report
) -> None:
    steps = inline(25, "3s", {"analysis": _ASKS_OF_NOBODY}, 50, "2s")
    started = trial("canary", variant=variants.combined(_gives_up_soon, steps))
    complaint = r"1\.1 of payments promoted(.|\n)*metric success-rate-istio Inconclusive"
    with pytest.raises(ConditionNotMetError, match=complaint):
        _release_and_give_up(started, numbers)
    (answer,) = json.loads((started.folder / "failure" / "promql.json").read_text())
    assert f'destination_service_name="{_WRONG}"' in answer["query"]
    assert answer["answer"]["data"]["result"] == []
    numbers(failure_bundle="error.txt: Inconclusive; promql.json: the query, with an empty answer")


@pytest.mark.scenario("an-7")
def test_a_wrong_label_is_green_where_no_data_is_forgiven(trial: StartTrial, numbers: Report) -> None:
    variant = variants.combined(_analysed_in_the_background, _forgives_no_data, _STEPS)
    with trial("canary", variant=variant) as app:
        with app.traffic(100):
            app.deploy("1.2-5xx")
            app.wait(promoted("1.2-5xx"), within=120)
            app.stays_promoted("1.2-5xx")
        records = app.records()
        share = assert_alone(records, stream=ACTIVE, version="1.2-5xx")
        last = records.present(AnalysisRecord)[-1]
        assert (last.run_phase, last.failed, last.value) == ("Successful", 0, "[]"), last
    numbers(
        forgiving_condition=f"false green: {last.count} empty answers, {last.run_phase}; promoted",
        clients_given_500_after_promotion=share,
    )


def _release_and_give_up(started: Trial, numbers: Report) -> None:
    """Release a good version, see that it is stopped, and fail because it is not promoted."""
    stopped = all_of(paused_at(2), weight_is(25))
    with started as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(stopped, within=90)
            app.stays(stopped, weights={"1.0": 75, "1.1": 25})
        records = app.records()
        window = windows(records, stream=ACTIVE)[-1].window
        share = assert_share(records, stream=ACTIVE, version="1.1", weight=25, window=window)
        assert_no_errors(records, stream=ACTIVE)
        numbers(guarded_condition=f"stuck: Inconclusive, and so Paused, with {share}")
        app.wait(promoted("1.1"), within=1)


def _analysed_in_the_background(objects: list[Object]) -> None:
    """All the time, from the first pause on."""
    endless = {"name": "count", "value": "0"}
    args = [*_ASKS_OF_NOBODY["args"], endless]
    variants.strategy_of(objects)["analysis"] = {**_ASKS_OF_NOBODY, "args": args, "startingStep": 1}


def _gives_up_soon(objects: list[Object]) -> None:
    """The template is content with a few measurements without data."""
    _metric(objects)["inconclusiveLimit"] = 3


def _forgives_no_data(objects: list[Object]) -> None:
    """Without data, all is well."""
    metric = _metric(objects)
    metric["successCondition"] = _FORGIVING
    del metric["failureCondition"]


def _metric(objects: list[Object]) -> Object:
    (metric,) = variants.manifest_of(objects, "AnalysisTemplate", "success-rate-istio")["spec"]["metrics"]
    assert isinstance(metric, dict)
    return metric
