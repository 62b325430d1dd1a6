"""How long the old version keeps its pods after a promotion, and what makes it active again."""

from __future__ import annotations

import pytest

from e2e.bluegreen.strategy import analysis, blue_green
from e2e.bluegreen.switching import SERVICE, answered_by, ready_pods, selected, settles, stays_active, used_at
from e2e.bounds import CONVERGED
from e2e.scaling import scaled_down_at
from e2e.types import EnterClaim, Report, StartTrial
from e2e.variants import combined
from fixtures.conditions.conditions import aborted, behind, paused_at, promoted, scaled_to
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import reconciled
from fixtures.judge.switches import CONVERGENCE_SECONDS, switches
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, requests
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial.trial import ACTIVE, Trial

# For 1,000 requests at 100 a second after the data plane has followed.
_ENOUGH_SECONDS = CONVERGENCE_SECONDS + 11
# Longer than what is done in it takes on a busy machine.
_KEPT_SECONDS = 180
_SHORT_SECONDS = 12


@pytest.mark.scenario("bg-6")
def test_within_the_delay_an_abort_does_nothing_and_an_undo_brings_blue_back_at_once(
    trial: StartTrial, claim: EnterClaim, numbers: Report
) -> None:
    with trial("bluegreen", variant=blue_green(scaleDownDelaySeconds=_KEPT_SECONDS)) as app:
        blue = app.stable_pods()
        with app.traffic(100):
            _promote(app, "1.1")
            app.abort()
            settles(app, all_of(behind("1.1", SERVICE), scaled_to(2, "1.0")), for_=_ENOUGH_SECONDS)
            app.undo()
            app.wait(promoted("1.0"), within=90)
            assert app.stable_pods() == blue, "blue's pods are others than before"
            stays_active(app, "1.0")
        records = app.records()

        there, back = switches(records, stream=ACTIVE)
        aborted_at, undone = used_at(records, "abort"), used_at(records, "undo")
        after_abort = Window(max(aborted_at, there.settled().start))
        before_undo = answered_by(records, undone)
        none = assert_exactly_none(before_undo, stream=ACTIVE, version="1.0", window=after_abort)
        back_at_blue = assert_exactly_none(records, stream=ACTIVE, version="1.1", window=back.settled())
        answered = assert_no_errors(records, stream=ACTIVE)
        last = max(r.received for r in requests(records, ACTIVE) if r.version == "1.1") - undone
        claim(
            "An abort within scaleDownDelaySeconds of a promotion brings blue back.",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if none else HOLDS,
            evidence={
                "blue_after_the_abort": none,
                "blue's pods": "2 of 2 there all the while",
                "undo_to_blue_active": f"{back.t - undone:.2f} s, without a pause",
                "undo_to_last_response_of_green": f"{last:.2f} s",
                "green_afterwards": back_at_blue,
            },
        )
    bound = reconciled() + CONVERGED
    numbers(
        undo_to_last_response_of_green=bound.judged("from undo to the last answer", last),
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-6")
def test_blue_is_alive_for_the_delay_and_after_it_an_undo_is_a_release_like_any_other(
    trial: StartTrial, claim: EnterClaim, numbers: Report
) -> None:
    with trial("bluegreen", variant=blue_green(scaleDownDelaySeconds=_SHORT_SECONDS)) as app:
        blue = app.stable_pods()
        with app.traffic(50):
            _promote(app, "1.1")
            app.wait(scaled_to(0, "1.0"), within=_SHORT_SECONDS + 90)
            app.undo()
            app.wait(all_of(paused_at(), behind("1.0", "payments-preview")), within=90)
            app.holds(all_of(paused_at(), behind("1.1", SERVICE)), for_=3)
            assert not blue.keys() & app.stable_pods().keys(), "these are blue's old pods"
        records = app.records()

        (switch,) = switches(records, stream=ACTIVE)
        kept = scaled_down_at(records, "1.0", switch.t) - switch.t
        alive = ready_pods(records, "1.0", at=switch.t + _SHORT_SECONDS / 2)
        answered = assert_no_errors(records, stream=ACTIVE)
        # Two watches tell when it began and when it ended, and one may be late by seconds.
        held = alive == 2 and _SHORT_SECONDS - 7 <= kept <= _SHORT_SECONDS + 20
        claim(
            "scaleDownDelaySeconds keeps blue alive for a rollback.",
            expected=HOLDS,
            found=HOLDS if held else DOES_NOT_HOLD,
            evidence={
                "kept_for": f"{kept:.1f} s (scaleDownDelaySeconds {_SHORT_SECONDS}), {alive} of 2 pods ready",
                "an_undo_later": "new pods, behind the preview, waits for a promotion",
            },
        )
    numbers(failed_requests=f"0 of {answered:,}")


@pytest.mark.scenario("bg-6")
def test_an_abort_during_the_analysis_after_promotion_brings_blue_back(
    trial: StartTrial, claim: EnterClaim
) -> None:
    variant = combined(analysis("postPromotionAnalysis", count=120), blue_green(autoPromotionEnabled=True))
    with trial("bluegreen", variant=variant) as app:
        blue = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(behind("1.1", SERVICE), within=90)
            app.holds(behind("1.1", SERVICE), for_=CONVERGENCE_SECONDS)
            app.abort()
            app.wait(aborted(version="1.1"), within=60)
            app.stays(aborted(version="1.1"), weights={"1.0": 100})
        records = app.records()

        came_back = selected(records) == ["1.0", "1.1", "1.0"]
        back = switches(records, stream=ACTIVE)[-1]
        none = assert_exactly_none(records, stream=ACTIVE, version="1.1", window=back.settled())
        answered = assert_no_errors(records, stream=ACTIVE)
        assert app.stable_pods() == blue, "blue's pods are others than before"
        last = max(r.received for r in requests(records, ACTIVE) if r.version == "1.1")
        claim(
            "An abort while the analysis after a promotion runs brings blue back.",
            expected=HOLDS,
            found=HOLDS if came_back and none else DOES_NOT_HOLD,
            evidence={
                "abort_to_last_response_of_green": f"{last - used_at(records, 'abort'):.2f} s",
                "green_afterwards": none,
                "failed_requests": f"0 of {answered:,}",
            },
        )


def _promote(app: Trial, version: str) -> None:
    app.deploy(version)
    app.wait(paused_at(), within=90)
    app.promote()
    app.wait(promoted(version), within=120)
