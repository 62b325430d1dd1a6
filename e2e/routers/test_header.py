"""NGINX has no header route, but an annotation by which a header leads to the canary in a release."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.canary.routes import PROBE, near_misses, probes
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

_RATE = 70.0
_WEIGHT = 25
_JUDGED_SECONDS = 18


@pytest.mark.router("nginx")
@pytest.mark.violates("shares", reason="all with the header get the canary, whatever its weight")
@pytest.mark.scenario("can-13")
def test_clients_with_the_header_of_an_annotation_always_get_the_canary_and_others_by_weight(
    trial: StartTrial, numbers: Report
) -> None:
    steps = variants.canary_steps(_WEIGHT, None)
    changed = variants.combined(variants.without_analysis, steps, _with_header)
    there = all_of(paused_at(1), weight_is(_WEIGHT))
    with trial("canary", router="nginx", variant=changed) as app:
        with app.traffic(_RATE, call=near_misses(), also=[probes(app, _RATE)]):
            app.deploy("1.1")
            app.wait(there, within=60)
            start = app.timeline.clock() + CONVERGENCE_SECONDS
            app.holds(there, for_=CONVERGENCE_SECONDS + _JUDGED_SECONDS)
            app.promote()
            app.wait(promoted("1.1"), within=60)
            app.holds(promoted("1.1"), for_=3)
        records = app.records()

        window = Window(start, start + _JUDGED_SECONDS)
        probed = assert_exactly_none(records, stream=PROBE, version="1.0", window=window)
        share = assert_share(records, stream=ACTIVE, version="1.1", weight=_WEIGHT, window=window)
        answered = sum(assert_no_errors(records, stream=stream) for stream in (ACTIVE, PROBE))
    numbers(
        probes_got_stable=probed,
        others_and_near_misses_at_weight_25=share,
        failed_requests=f"0 of {answered:,}",
    )


def _with_header(objects: list[Object]) -> None:
    nginx = variants.strategy_of(objects)["trafficRouting"]["nginx"]
    nginx["additionalIngressAnnotations"] = {
        "canary-by-header": "x-probe", "canary-by-header-value": "canary"
    }  # fmt: skip
