"""What a success rate over all versions shows of a canary that gets 5% of the requests."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis import runs
from e2e.analysis.metrics import GUARDED, OF_VERSION, metric, pod_hash, success_rate, wait_until_known
from e2e.analysis.moments import held_at
from e2e.analysis.variants import inline, step, template
from e2e.types import EnterClaim, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import assert_alone
from fixtures.judge.verdicts import requests
from fixtures.kube.client import Object
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import Share

_ALL, _SOME = "1.2-5xx", "1.2-5xx-20"
_AGGREGATE = 'namespace="{{args.namespace}}"'
_TIMES = 12
# How far the queries look back: a machine that is busy does not scrape for seconds at times.
_BACK_SECONDS = 10
# Until that holds nothing from before.
_WINDOW_SECONDS = _BACK_SECONDS + 2.0


@pytest.mark.scenario("an-6")
def test_an_aggregate_success_rate_misses_what_a_query_per_version_sees(
    trial: StartTrial, claim: EnterClaim
) -> None:
    patient = metric("m", success_rate(_AGGREGATE), GUARDED, count=5, inconclusiveLimit=4)
    aggregate = template("aggregate", patient)
    steps = inline(5, None, step("aggregate"), 100, "2s")
    with trial("canary", variant=variants.combined(aggregate, steps)) as app:
        with app.traffic(200):
            results = {version: _watch(app, version) for version in (_ALL, _SOME)}
            app.promote()
            app.wait(promoted(_SOME), within=120)
            app.stays_promoted(_SOME)
        records = app.records()

        rates = {version: _success(records, version) for version in (_ALL, _SOME)}
        everything = assert_alone(records, stream=ACTIVE, version=_SOME)
        assert rates[_ALL].contains(0.95), rates[_ALL]
        assert results[_ALL]["per-version"] == _TIMES, results
        assert results[_SOME]["per-version"] > _TIMES // 2, results
        missed = results[_SOME]["aggregate"] == 0 and rates[_SOME].value > 0
        claim(
            "an aggregate success rate >= 95% catches a broken canary at 5%",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if missed else HOLDS,
            evidence={
                "success_of_all_clients_while_the_canary_fails_everything": f"{rates[_ALL]}: on the"
                f" threshold, so that {results[_ALL]['aggregate']} of {_TIMES} measurements were below it by"
                " chance",
                "success_of_all_clients_while_it_fails_20%": f"{rates[_SOME]}:"
                f" {results[_SOME]['aggregate']} of {_TIMES} below; promoted, and had {everything}",
                "the_same_per_version": f"{results[_ALL]['per-version']} and {results[_SOME]['per-version']}"
                f" of {_TIMES} below",
            },
        )


def _watch(app: Trial, version: str) -> dict[str, int]:
    """Release a version to 5%, and count the measurements of each query that call it bad."""
    app.deploy(version)
    held = all_of(paused_at(1), weight_is(5))
    app.wait(held, within=90)
    wait_until_known(app)
    app.holds(held, for_=_WINDOW_SECONDS)
    labels = {"aggregate": _AGGREGATE, "per-version": OF_VERSION}
    queries = {query: success_rate(which, seconds=_BACK_SECONDS) for query, which in labels.items()}
    names = {query: f"{query}-{version}" for query in queries}
    for query, name in names.items():
        counted = metric("m", queries[query], GUARDED, count=_TIMES, failureLimit=_TIMES)
        runs.create(app.kube, app.namespace, name, counted, args=_args(app))
    ended = {query: runs.ended(app.kube, app.namespace, name) for query, name in names.items()}
    return {query: runs.measured(status).get("failed", 0) for query, status in ended.items()}


def _args(app: Trial) -> list[Object]:
    values = {"namespace": app.namespace, "pod-hash": pod_hash(app)}
    return [{"name": name, "value": value} for name, value in values.items()]


def _success(records: Recording, version: str) -> Share:
    """What share of all requests was answered without an error while a version had 5%."""
    sent = requests(records, ACTIVE, held_at(records, version, 5).window)
    assert len(sent) >= 1000
    return Share(sum(not request.failed for request in sent), len(sent))
