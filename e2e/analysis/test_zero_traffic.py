"""What an analysis concludes without series, without requests, and without Prometheus."""

from __future__ import annotations

from functools import partial

import pytest

from e2e.analysis import runs
from e2e.analysis.metrics import BAD, BARE, BARE_FAILURE, GOOD, GUARDED, metric, success_rate
from e2e.promql import ask
from e2e.types import Report, StartTrial
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.trial.trial import Trial

_OK, _FAILED, _ERROR, _UNCLEAR = "Successful", "Failed", "Error", "Inconclusive"
_NOTHING = "vector(1) < 0"
_GUARDS = {
    "bare successCondition": ("{query}", BARE),
    "bare failureCondition": ("{query}", BARE_FAILURE),
    "or vector(1)": ("({query}) or vector(1)", BARE),
    "len and isNaN": ("{query}", GUARDED),
}
# What is asked, and the phase by guard, in the order of the guards.
_PHASES = {
    "no data": (_ERROR, _ERROR, _OK, _UNCLEAR),
    "NaN": (_FAILED, _OK, _FAILED, _UNCLEAR),
    "Prometheus down": (_ERROR, _ERROR, _ERROR, _ERROR),
    "good data": (_OK, _OK, _OK, _OK),
    "bad data": (_FAILED, _FAILED, _FAILED, _FAILED),
}


@pytest.mark.scenario("an-4")
def test_without_traffic_the_phase_depends_on_how_the_question_is_asked(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("deployment", replicas=1) as app:
        queries = _queries(app)
        began = app.timeline.clock()
        silent = partial(_is_nan, app, queries["NaN"], began)
        until(silent, what="series of the app without requests", timeout=90)
        nowhere = runs.create_without_end(app.kube, app.namespace, "prometheus")
        cells = {(data, guard): f"run-{n}" for n, (data, guard) in enumerate(_cells())}
        for (data, guard), name in cells.items():
            address = {"address": nowhere} if data == "Prometheus down" else {}
            runs.create(app.kube, app.namespace, name, _metric(queries[data], guard, address))
        results = {cell: runs.ended(app.kube, app.namespace, name) for cell, name in cells.items()}

        expected = {
            (data, guard): phase
            for data, phases in _PHASES.items()
            for guard, phase in zip(_GUARDS, phases, strict=True)
        }
        assert {cell: status["phase"] for cell, status in results.items()} == expected
        said = results["no data", "bare successCondition"]["message"]
        assert "no data returned from the metric provider" in said
        assert runs.measured(results["NaN", "or vector(1)"])["measurements"][-1]["value"] == "[NaN]"
        assert "connection refused" in results["Prometheus down", "or vector(1)"]["message"]
    for data in _PHASES:
        summary = ", ".join(f"{guard}: {results[data, guard]['phase']}" for guard in _GUARDS)
        numbers(**{f"phase with {data}": summary})


@pytest.mark.scenario("an-4")
@pytest.mark.parametrize(
    ("limit", "phase", "said"),
    [
        (2, "Inconclusive", "inconclusive (3) > inconclusiveLimit (2)"),
        (3, "Successful", ""),
        (4, "Error", "count must be >= inconclusiveLimit"),
    ],
)
def test_as_many_inconclusive_measurements_as_there_are_measurements_are_a_success(
    limit: int, phase: str, said: str, environment: Environment, numbers: Report
) -> None:
    kube = environment.kube
    with runs.namespace(kube) as namespace:
        patient = metric("m", _NOTHING, GUARDED, count=3, inconclusiveLimit=limit)
        runs.create(kube, namespace, "patient", patient)
        status = runs.ended(kube, namespace, "patient")
    assert status["phase"] == phase, status
    assert said in status.get("message", "")
    numbers(**{f"never any data, count 3, inconclusiveLimit {limit}": phase})


def _cells() -> list[tuple[str, str]]:
    return [(data, guard) for data in _PHASES for guard in _GUARDS]


def _queries(app: Trial) -> dict[str, str]:
    """What is asked: of pods that are scraped, and of pods that nobody has seen."""
    # A look back that is longer than scrapes fail in a row on a busy machine: then there would be no data.
    silent = success_rate(f'namespace="{app.namespace}"', seconds=15)
    unseen = success_rate(f'namespace="{app.namespace}", rollouts_pod_template_hash="not-there"')
    return {"no data": unseen, "NaN": silent, "Prometheus down": GOOD, "good data": GOOD, "bad data": BAD}


def _metric(query: str, guard: str, address: dict[str, str]) -> Object:
    form, conditions = _GUARDS[guard]
    # A question that Prometheus did not answer in time is asked again; what is not an answer stays none.
    return metric("success", form.format(query=query), conditions, consecutiveErrorLimit=1, **address)


def _is_nan(app: Trial, query: str, began: float) -> None:
    # The app was asked until it was ready, and a scrape that comes late counts that later.
    scraped = _values(app, f'max(timestamp(http_requests_total{{namespace="{app.namespace}"}}))')
    if not scraped or float(scraped[0]) < began + 1:
        raise PendingError(f"scraped last at {scraped or 'no time'}, and asked until {began:.3f}")
    if (values := _values(app, query)) != ["NaN"]:
        raise PendingError(f"the answer is {values or 'empty'}")


def _values(app: Trial, query: str) -> list[str]:
    return [sample["value"][1] for sample in ask(app.environment, query)]
