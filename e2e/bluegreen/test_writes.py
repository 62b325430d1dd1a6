"""Whether two versions ever write at the same time, which a change of a database's schema may not allow."""

from __future__ import annotations

import json

import pytest

from e2e.bluegreen.kept_connection import answers, first_answer, with_client
from e2e.bluegreen.strategy import blue_green
from e2e.bluegreen.switching import SERVICE, settles
from e2e.scaling import scaled_down_at
from e2e.types import EnterClaim, StartTrial
from e2e.variants import combined
from fixtures.conditions.conditions import behind, promoted, scaled_to
from fixtures.core.retry import until
from fixtures.judge.switches import CONVERGENCE_SECONDS, switches
from fixtures.judge.verdicts import assert_no_errors
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS, holds_if
from fixtures.trial.trial import ACTIVE
from loadgen.plan import Call

_WRITE = Call(
    method="POST",
    headers={"Content-Type": "application/json"},
    body=json.dumps({"amount": 1250, "currency": "EUR", "payee": "schema probe"}),
)
_KEPT_SECONDS = 12


@pytest.mark.scenario("bg-9")
def test_writes_under_way_at_the_switch_overlap_with_those_of_green(
    trial: StartTrial, claim: EnterClaim
) -> None:
    variant = blue_green(autoPromotionEnabled=True)
    with trial("bluegreen", version="1.2-slow", variant=variant) as app:
        with app.traffic(50, call=_WRITE, users=200):
            # Twice from slow writes: when a busy machine stands still for longer than these take, all answers
            # that are due come at its end.
            for version in ("1.1", "1.2-slow", "1.0"):
                app.deploy(version)
                app.wait(promoted(version), within=60)
                settles(app, behind(version, SERVICE), for_=CONVERGENCE_SECONDS + 5)
        records = app.records()

        first, quick, second = switches(records, stream=ACTIVE)
        slow = max(first, second, key=lambda switch: switch.overlap)
        answered = assert_no_errors(records, stream=ACTIVE)
        claim(
            "With blue-green, two versions never serve writes at once.",
            expected=holds_if("no write is under way at the switch"),
            found=holds_if("no write is under way at the switch") if slow.overlap else HOLDS,
            evidence={
                "both_answered_for, writes of 0.8 s": f"{slow.overlap:.3f} s",
                "both_answered_for, writes of some ms": f"{quick.overlap:.3f} s",
                "gateway_sent_to_both_for": f"{slow.mixed:.3f} s and {quick.mixed:.3f} s",
                "failed_writes": f"0 of {answered:,}",
            },
        )


@pytest.mark.scenario("bg-9")
def test_a_kept_connection_writes_to_blue_until_blue_ends(trial: StartTrial, claim: EnterClaim) -> None:
    settings = blue_green(autoPromotionEnabled=True, scaleDownDelaySeconds=_KEPT_SECONDS)
    with trial("bluegreen", variant=combined(settings, with_client)) as app:
        until(lambda: first_answer(app), what="first answer of the client", timeout=120)
        app.deploy("1.1")
        app.wait(promoted("1.1"), within=60)
        app.wait(scaled_to(0, "1.0"), within=_KEPT_SECONDS + 90)
        records = app.records()

        (switch,) = switches(records, stream=ACTIVE)
        written = [(t - switch.t, version) for t, version in answers(app) if t > switch.t]
        late = [t for t, version in written if version == "1.0"]
        last = max(late, default=0.0)
        ended = scaled_down_at(records, "1.0", switch.t) - switch.t
        claim(
            "Every client writes to green as soon as the active Service selects it.",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if last > CONVERGENCE_SECONDS else HOLDS,
            evidence={
                "client": "in the cluster, to the Service's address, over one connection that it keeps",
                "writes_to_blue_after_the_switch": f"{len(late):,}, the last one {last:.1f} s after it",
                "blue_scaled_down": f"{ended:.1f} s after it (scaleDownDelaySeconds {_KEPT_SECONDS})",
            },
        )
