"""Good versions are promoted, and get exactly the share of requests that each step asks for."""

from __future__ import annotations

from itertools import pairwise

import pytest

from e2e.bounds import PODS
from e2e.types import Report, StartTrial
from e2e.variants import strategy_of
from fixtures.conditions.conditions import promoted
from fixtures.judge.bounds import lasting, reconciled
from fixtures.judge.convergence import changes, windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.timeline.recording import Recording
from fixtures.trial.trial import ACTIVE

# Of each pause after the first, in the manifest; and what is lost of it, as the controller keeps the start
# of a pause, and the API server the time of a write, in whole seconds.
_PAUSE_SECONDS, _ROUNDING_SECONDS = 10, 2
# Answers in what is left of a pause once the slowest router, NGINX, has applied the weight.
_ENOUGH = 600
# Pods are started twice, before the first weight and before 75%; each weight is a reconciliation.
_PROMOTED = lasting("pauses", 20 + 3 * _PAUSE_SECONDS) + PODS + PODS + reconciled(4)


@pytest.mark.smoke
@pytest.mark.every_provider
@pytest.mark.every_router
@pytest.mark.scenario("can-4")
def test_a_good_version_gets_the_share_of_each_step_and_then_everything(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_unhurried) as app:
        with app.traffic(150):
            app.deploy("1.1")
            took = app.wait(promoted("1.1"), within=180)
            app.stays_promoted("1.1")
        records = app.records()

        steps = {settled.weights.get("1.1", 0): settled for settled in windows(records, stream=ACTIVE)}
        assert steps.keys() >= {5, 25, 50, 75, 100}, (
            f"the router never had the weights of all steps: {list(steps)}"
        )
        shares = {
            weight: assert_share(
                records, stream=ACTIVE, version="1.1", weight=weight, window=settled.window, at_least=_ENOUGH
            )
            for weight, settled in steps.items()
            if weight
        }
        for weight, held in _held(records).items():
            assert held >= _PAUSE_SECONDS - _ROUNDING_SECONDS, f"{weight}% was held for {held:.0f} s only"
        answered = assert_no_errors(records, stream=ACTIVE)
    for weight, share in shares.items():
        took_over = steps[weight].convergence
        numbers(**{f"share at {weight}%": f"{share}, converged in {took_over or 0:.2f} s"})
    numbers(
        deploy_to_promoted=_PROMOTED.judged("from deploy to promoted", took),
        failed_requests=f"0 of {answered:,}",
    )


def _held(records: Recording) -> dict[float, float]:
    """For how many seconds the router had each weight between the first and the last."""
    written = {change.until_written: change.then.get("1.1", 0) for change in changes(records)}
    return {weight: end - start for (start, weight), (end, _) in pairwise(written.items())}


def _unhurried(objects: list[Object]) -> None:
    """A machine that stalls for half a second now and then makes no slow version."""
    strategy_of(objects)["analysis"]["args"].append({"name": "max-seconds", "value": "5"})
