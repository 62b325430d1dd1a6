"""Each new pod fails its first request: which check notices that, and how many clients get an error."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2e import variants
from e2e.analysis.variants import step
from e2e.canary import gates
from e2e.types import EnterClaim, StartTrial, Variant
from fixtures.conditions.conditions import aborted, promoted
from fixtures.conditions.expectation import any_of
from fixtures.judge.verdicts import ENOUGH, requests
from fixtures.kube.client import Object
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.records import RolloutRecord
from fixtures.trial.trial import ACTIVE

_RATE = 100.0
# Until each pod was asked, on a machine where the gateway is slow to hear of the latest one.
_SETTLED_SECONDS = 6.0
_BAD, _GOOD = "1.2-firstfails", "1.1"


@dataclass(frozen=True)
class Gate:
    """A gate, the claim about it, and what it comes to."""

    claim: str
    variant: Variant
    verdict: str
    errors: int
    is_aborted: bool


def _success_rate(objects: list[Object]) -> None:
    """Measured once there are many requests: of a handful, a single failure may be too many or not."""
    variants.canary_steps(50, "3s", "7s")(objects)
    variants.judged_by("success-rate")(objects)
    variants.strategy_of(objects)["analysis"]["startingStep"] = 2


def _no_error_at_all(objects: list[Object]) -> None:
    # Prometheus may take 10 s to find the canary.
    variants.canary_steps(50, "25s")(objects)
    gates.no_errors(objects)
    variants.judged_by("no-errors")(objects)
    del variants.strategy_of(objects)["analysis"]["args"][2]


def _probe_of_payments(objects: list[Object]) -> None:
    variants.without_analysis(objects)
    variants.canary_steps(50, "7s")(objects)
    gates.readiness({"httpGet": {"path": "/payments", "port": "http"}})(objects)


def _one_request_first(objects: list[Object]) -> None:
    variants.without_analysis(objects)
    gates.one_request(objects)
    first = step("one-request")
    # Without the pause, the Service still leads to stable pods: it selects the canary's once they are there,
    # and the node's proxy follows later.
    variants.canary_steps({"setCanaryScale": {"replicas": 1}}, "8s", first, 50, "7s")(objects)


_GATES = {
    "success-rate": Gate(
        "A health check and a success rate of 95% catch a failure of each pod's first request",
        _success_rate, DOES_NOT_HOLD, errors=2, is_aborted=False,
    ),
    "no-errors": Gate(
        "An analysis that tolerates no error catches a failure of each pod's first request",
        _no_error_at_all, HOLDS, errors=1, is_aborted=True,
    ),
    "readiness-of-payments": Gate(
        "A readiness probe that asks what clients ask catches a failure of each pod's first request",
        _probe_of_payments, HOLDS, errors=0, is_aborted=False,
    ),
    "one-request": Gate(
        "One request by an analysis before any weight catches a failure of each pod's first request",
        _one_request_first, HOLDS, errors=0, is_aborted=True,
    ),
}  # fmt: skip


@pytest.mark.scenario("can-18")
@pytest.mark.parametrize("gate", _GATES.values(), ids=_GATES)
def test_a_failure_of_the_first_request_is_caught_by_some_gates(
    trial: StartTrial, claim: EnterClaim, gate: Gate
) -> None:
    ended = any_of(promoted(_BAD), aborted(version=_BAD))
    with trial("canary", variant=gate.variant) as app:
        with app.traffic(_RATE):
            app.deploy(_BAD)
            app.wait(ended, within=90)
            app.holds(ended, for_=_SETTLED_SECONDS)
            is_aborted = any(record.abort for record in app.records().of(RolloutRecord))
            if is_aborted:
                app.deploy(_GOOD)
                app.wait(promoted(_GOOD), within=90)
        sent = requests(app.records(), ACTIVE)
        assert len(sent) >= ENOUGH, f"only {len(sent):,} requests"
        failed = [request for request in sent if request.failed and request.version == _BAD]
        assert len({request.pod for request in failed}) == len(failed), "a pod failed more than its first"
        assert (len(failed), is_aborted) == (gate.errors, gate.is_aborted)
        claim(
            gate.claim,
            expected=gate.verdict,
            found=HOLDS if is_aborted or not failed else DOES_NOT_HOLD,
            evidence={
                "requests that it failed": f"{len(failed)} of {len(sent):,}",
                "the version was": "aborted; a good one got through" if is_aborted else "promoted",
            },
        )
