"""A readiness probe keeps requests from a broken version, as far as it checks what is broken."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.canary import gates
from e2e.deadline import give_up_after
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import lasting, reconciled
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE

_RATE = 100.0
_DEADLINE_SECONDS = 15
_ABORTED = lasting("progressDeadlineSeconds", _DEADLINE_SECONDS) + reconciled()


@pytest.mark.scenario("can-17")
def test_a_health_check_with_real_logic_keeps_every_request_from_a_bad_pod(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=_held_at_5_percent) as app:
        give_up_after(app, _DEADLINE_SECONDS)
        with app.traffic(_RATE):
            app.deploy("1.2-neverready")
            took = app.wait(aborted(version="1.2-neverready"), within=90)
        records = app.records()
        none = assert_exactly_none(records, stream=ACTIVE, version="1.2-neverready")
        assert_no_errors(records, stream=ACTIVE)
    numbers(
        responses_of_the_bad_version=none,
        deploy_to_aborted=_ABORTED.judged("from deploy to abort", took),
    )


@pytest.mark.scenario("can-17")
def test_a_probe_of_the_open_port_lets_the_same_pod_have_its_share_of_requests(
    trial: StartTrial, numbers: Report
) -> None:
    by_port = gates.readiness({"tcpSocket": {"port": "http"}})
    with trial("canary", variant=variants.combined(_held_at_5_percent, by_port)) as app:
        with app.traffic(_RATE):
            app.deploy("1.2-neverready")
            there = all_of(paused_at(1), weight_is(5))
            app.wait(there, within=45)
            app.stays(there, weights={"1.0": 95, "1.2-neverready": 5})
        records = app.records()
        (settled,) = windows(records, stream=ACTIVE)
        share = assert_share(
            records, stream=ACTIVE, version="1.2-neverready", weight=5, window=settled.window
        )
    numbers(share_of_the_bad_version=share)


def _held_at_5_percent(objects: list[Object]) -> None:
    """Nothing but readiness judges."""
    variants.without_analysis(objects)
    variants.canary_steps(5, None)(objects)
