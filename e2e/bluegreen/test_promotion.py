"""When the new version becomes active, and that it gets all requests at once."""

from __future__ import annotations

import pytest

from e2e.bluegreen.strategy import blue_green
from e2e.bluegreen.switching import assert_clean, available_at, paused_first, selected, stays_active, used_at
from e2e.bounds import CONVERGED
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import behind, paused_at, preview_ready, promoted
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import reconciled
from fixtures.judge.switches import CONVERGENCE_SECONDS, switches
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors
from fixtures.trial.trial import ACTIVE

_AUTOMATIC_SECONDS = 10
# For a pause in whose middle another version comes, also on a busy machine.
_LONGER_SECONDS, _EARLIER_SECONDS = 18, 6
_DEADLINE = 30  # progressDeadlineSeconds of the base
# Two threads of the gateway hear of a switch within milliseconds of each other, or of a busy machine's stall.
_MIXED_SECONDS = 2.0


@pytest.mark.scenario("bg-2")
@pytest.mark.parametrize("seconds", [None, _AUTOMATIC_SECONDS])
def test_without_automatic_promotion_green_waits_past_every_deadline(
    trial: StartTrial, numbers: Report, seconds: int | None
) -> None:
    settings = {"autoPromotionSeconds": seconds} if seconds else {}
    with trial("bluegreen", variant=blue_green(**settings)) as app:
        with app.traffic(50):
            app.deploy("1.1")
            app.wait(paused_at(), within=90)
            app.holds(all_of(paused_at(), behind("1.0", "payments-active")), for_=_DEADLINE + 5)
        records = app.records()

        none = assert_exactly_none(records, stream=ACTIVE, version="1.1")
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        held_for=f"{_DEADLINE + 5} s (progressDeadlineSeconds {_DEADLINE})",
        active_from_green=none,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-2")
def test_automatic_promotion_takes_place_as_soon_as_green_is_available(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("bluegreen", variant=blue_green(autoPromotionEnabled=True)) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=60)
            stays_active(app, "1.1")
        records = app.records()

        (switch,) = switches(records, stream=ACTIVE)
        assert paused_first(records, used_at(records, "deploy")) is None, "it waited for somebody"
        took = switch.t - available_at(records, "1.1")
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        available_to_active=reconciled().judged("the switch", took),
        switch=switch,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-2")
def test_automatic_promotion_waits_for_its_seconds(trial: StartTrial, numbers: Report) -> None:
    settings = blue_green(autoPromotionEnabled=True, autoPromotionSeconds=_AUTOMATIC_SECONDS)
    with trial("bluegreen", variant=settings) as app:
        with app.traffic(150):
            app.deploy("1.1")
            app.wait(promoted("1.1"), within=150)
        records = app.records()

        paused = paused_first(records, used_at(records, "deploy"))
        assert paused is not None, "it did not wait at all"
        (switch,) = switches(records, stream=ACTIVE)
        took = switch.t - paused
        # The controller keeps the beginning of a pause in whole seconds, and the watch tells of it late.
        assert _AUTOMATIC_SECONDS - 7 <= took <= _AUTOMATIC_SECONDS + 15, f"it took {took:.1f} s"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        paused_to_active=f"{took:.2f} s (autoPromotionSeconds {_AUTOMATIC_SECONDS})",
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-2")
def test_a_version_that_comes_in_the_pause_of_another_waits_for_all_of_its_seconds(
    trial: StartTrial, numbers: Report
) -> None:
    settings = blue_green(autoPromotionEnabled=True, autoPromotionSeconds=_LONGER_SECONDS)
    with trial("bluegreen", variant=settings) as app:
        app.deploy("1.1")
        app.wait(all_of(paused_at(), preview_ready("1.1")), within=60)
        app.holds(behind("1.0", "payments-active"), for_=_EARLIER_SECONDS)
        app.deploy("1.2-slow")
        app.wait(all_of(paused_at(), preview_ready("1.2-slow")), within=60)
        took = app.wait(promoted("1.2-slow"), within=90)
        versions = selected(app.records())
    assert versions == ["1.0", "1.2-slow"], "the superseded version became active"
    # Told late on a busy machine, it began earlier than it seems, but not as early as the pause of the first.
    assert took >= _LONGER_SECONDS - _EARLIER_SECONDS + 2, (
        f"it waited only {took:.1f} s, as if it was the first"
    )
    numbers(paused_to_promoted=f"{took:.2f} s (autoPromotionSeconds {_LONGER_SECONDS})")


@pytest.mark.scenario("bg-3")
def test_promotion_switches_all_clients_at_once(trial: StartTrial, numbers: Report) -> None:
    with trial("bluegreen", replicas=3) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(paused_at(), within=60)
            app.holds(paused_at(), for_=11)
            app.promote()
            app.wait(promoted("1.1"), within=60)
            stays_active(app, "1.1")
        records = app.records()

        assert selected(records) == ["1.0", "1.1"], "the active Service did not switch just once"
        (switch,) = switches(records, stream=ACTIVE)
        assert switch.converged <= CONVERGENCE_SECONDS, switch
        before, after = assert_clean(records, switch, promoted=used_at(records, "promote"))
        assert switch.mixed <= _MIXED_SECONDS, f"clients went to both versions: {switch}"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        promote_to_Service_switched=reconciled().judged("promote", switch.t - used_at(records, "promote")),
        convergence=f"{switch.converged:.3f} s",
        clients_sent_to_both_for=f"{switch.mixed:.3f} s",
        both_versions_answered_for=CONVERGED.judged("the overlap", switch.overlap),
        from_green_before=before,
        from_blue_after_convergence=after,
        failed_requests=f"0 of {answered:,}",
    )
