"""The gateway splits by two Services or by two subsets of one: clients cannot tell which."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.canary import subsets
from e2e.types import Report, StartTrial, Variant
from fixtures.conditions.conditions import aborted, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.convergence import assert_gone, windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS

_RATE = 150.0


def _by_service(_: list[Object]) -> None:
    """As the base does it."""


@pytest.mark.scenario("can-14")
@pytest.mark.parametrize(
    ("split", "canary"),
    [
        pytest.param(_by_service, "payments-canary", id="by-service"),
        pytest.param(subsets.split_by_subset, subsets.CANARY, id="by-subset"),
    ],
)
def test_each_split_gives_the_same_shares_and_no_change_of_it_costs_a_client_an_error(
    trial: StartTrial, numbers: Report, split: Variant, canary: str
) -> None:
    steps = variants.canary_steps(5, None, 50, None)
    with trial("canary", variant=variants.combined(split, variants.without_analysis, steps)) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            for step, weight in ((1, 5), (3, 50)):
                there = all_of(paused_at(step), weight_is(weight, service=canary))
                app.wait(there, within=60)
                app.stays(there, weights={"1.0": 100 - weight, "1.1": weight})
                app.promote()
            app.wait(promoted("1.1"), within=60)
            app.stays_promoted("1.1")
            app.deploy("1.0")
            app.wait(all_of(paused_at(1), weight_is(5, service=canary)), within=60)
            app.holds(weight_is(5, service=canary), for_=3)
            app.abort()
            gone = all_of(aborted(version="1.0"), weight_is(0, service=canary))
            app.wait(gone, within=30)
            app.stays(gone, weights={"1.1": 100})
        records = app.records()

        walk = {
            settled.weights.get("1.1", 0): settled.window for settled in windows(records, stream=ACTIVE)[:3]
        }
        assert list(walk) == [5, 50, 100], f"the weights were {list(walk)}"
        shares = [
            assert_share(records, stream=ACTIVE, version="1.1", weight=weight, window=window)
            for weight, window in walk.items()
        ]
        none = assert_gone(records, stream=ACTIVE, version="1.0", allow=CONVERGENCE_SECONDS)
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        shares_at_5_50_and_100="; ".join(map(str, shares)),
        after_the_abort=none,
        failed_requests=f"0 of {answered:,}, through four changes and an abort",
    )
