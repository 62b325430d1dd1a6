"""Routes beside the weights: probes with a header always get the canary, mirrored requests never answer."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.canary.routes import MIRRORED, PROBE, WITH_HEADER, near_misses, probes, routes_are, steps_with_routes
from e2e.counted import countable, counted_by
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, promoted
from fixtures.judge.verdicts import (
    ENOUGH,
    Window,
    assert_exactly_none,
    assert_no_errors,
    assert_share,
    requests,
)
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS, Trial

_RATE = 100.0
_POD: Object = {"setCanaryScale": {"replicas": 1}}
# From a change of the VirtualService to the gateway, on a machine that is busy.
_TAKEN_OVER = 5.0
# From a change of the Rollout's status to the VirtualService that goes with it, told by another watch.
_TOLD = 15
# Longer than the 1,000 requests of a verdict take, of which some may be late.
_JUDGED = 13
# Between the first and the last scrape in it, up to 2 s less, or more where scrapes are late.
_SCRAPED = 20


@pytest.mark.scenario("can-13")
def test_clients_with_the_header_always_get_the_canary_and_others_by_weight(
    trial: StartTrial, numbers: Report
) -> None:
    steps = steps_with_routes(_POD, WITH_HEADER, None, 25, None)
    with trial("canary", variant=variants.combined(variants.without_analysis, steps)) as app:
        with app.traffic(_RATE, call=near_misses(), also=[probes(app, _RATE)]):
            app.deploy("1.1")
            app.wait(paused_at(2), within=45)
            without_weight = _judged(app, "probe", "primary")
            app.promote()
            app.wait(paused_at(4), within=30)
            with_weight = _judged(app, "probe", "primary")
            app.promote()
            app.wait(promoted("1.1"), within=45)
            app.wait(routes_are("primary"), within=_TOLD)
            app.holds(promoted("1.1"), for_=3)
        records = app.records()

        others = assert_exactly_none(records, stream=ACTIVE, version="1.1", window=without_weight)
        probed = [
            assert_exactly_none(records, stream=PROBE, version="1.0", window=window)
            for window in (without_weight, with_weight)
        ]
        share = assert_share(records, stream=ACTIVE, version="1.1", weight=25, window=with_weight)
        answered = sum(assert_no_errors(records, stream=stream) for stream in (ACTIVE, PROBE))
    numbers(
        others_and_near_misses_got_the_canary_at_weight_0=others,
        others_at_weight_25=share,
        probes_got_stable=f"{probed[0]} at weight 0, {probed[1]} at weight 25",
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("can-13")
def test_a_mirrored_version_fails_where_no_client_sees_it_and_its_routes_end_with_the_abort(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_judged_by_mirrored_requests) as app:
        with app.traffic(_RATE, also=[probes(app, _RATE)]):
            app.deploy("1.2-5xx")
            app.wait(paused_at(3), within=45)
            window = _judged(app, "probe", "shadow", "primary", seconds=_SCRAPED)
            mirrored = counted_by(app, "1.2-5xx", seconds=_SCRAPED)
            app.promote()
            app.wait(aborted(version="1.2-5xx"), within=45)
            app.wait(routes_are("primary"), within=_TOLD)
            ended = app.timeline.clock()
            app.holds(routes_are("primary"), for_=CONVERGENCE_SECONDS + _JUDGED)
        records = app.records()

        sent = len(requests(records, ACTIVE, mirrored.window))
        assert sent >= ENOUGH, f"only {sent:,} requests between two scrapes"
        fewest, most = countable(records, mirrored.window, ACTIVE, PROBE)
        # The canary gets and answers a copy when it may, not when the client gets the answer of the other.
        beside = 0.5 * _RATE
        assert fewest - beside <= mirrored.requests <= most + beside, (
            f"not each request was mirrored: {mirrored.requests:,} were counted, {fewest:,} to {most:,} sent"
        )
        assert mirrored.failed == mirrored.requests, (
            "the mirrored version did not fail, so this proved nothing"
        )
        assert_exactly_none(records, stream=ACTIVE, version="1.2-5xx")
        answered = assert_no_errors(records, stream=ACTIVE)
        assert_exactly_none(records, stream=PROBE, version="1.0", window=window)
        after = Window(ended + CONVERGENCE_SECONDS)
        gone = assert_exactly_none(records, stream=PROBE, version="1.2-5xx", window=after)
        assert_no_errors(records, stream=PROBE, window=after)
    numbers(
        mirrored_and_probes=f"{mirrored.requests:,} counted by the canary, {fewest:,} to {most:,} sent",
        failed_by_the_canary=f"{mirrored.failed:,} of {mirrored.requests:,}",
        failed_requests_of_clients=f"0 of {answered:,}",
        probes_got_the_aborted_version=gone,
    )


def _judged_by_mirrored_requests(objects: list[Object]) -> None:
    """No weight at all: what aborts it is an analysis of requests that were only mirrored."""
    steps_with_routes(_POD, WITH_HEADER, MIRRORED, None, None)(objects)
    variants.strategy_of(objects)["analysis"]["startingStep"] = 4


def _judged(app: Trial, *routes: str, seconds: int = _JUDGED) -> Window:
    """The next seconds with these routes, once the gateway knows what the VirtualService says."""
    app.wait(routes_are(*routes), within=_TOLD)
    start = app.timeline.clock() + _TAKEN_OVER
    app.holds(routes_are(*routes), for_=_TAKEN_OVER + seconds)
    return Window(start, start + seconds)
