"""Only clients that ask for a blue-green preview are answered by it."""

from __future__ import annotations

import pytest

from e2e.bluegreen.switching import answered_by, stays_active, used_at
from e2e.bounds import CONVERGED
from e2e.touching import touch
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import paused_at, preview_ready, promoted
from fixtures.judge.bounds import reconciled
from fixtures.judge.switches import CONVERGENCE_SECONDS, switches
from fixtures.judge.verdicts import Window, assert_exactly_none, assert_no_errors, assert_share
from fixtures.trial.trial import ACTIVE, PREVIEW


@pytest.mark.smoke
@pytest.mark.every_provider
@pytest.mark.every_router
@pytest.mark.scenario("bg-1")
def test_a_preview_holds_until_it_is_promoted(trial: StartTrial, numbers: Report) -> None:
    with trial("bluegreen") as app:
        with app.traffic(100, preview_rate=100):
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=90)
            app.wait(paused_at(), within=60)
            ready = app.timeline.clock()
            app.holds(paused_at(), for_=CONVERGENCE_SECONDS + 6)
            touch(app)
            app.holds(paused_at(), for_=6)
            app.promote()
            app.wait(promoted("1.1"), within=120)
            stays_active(app, "1.1")
        records = app.records()

        promote = used_at(records, "promote")
        none = assert_exactly_none(answered_by(records, promote), stream=ACTIVE, version="1.1")
        settled = Window(ready + CONVERGENCE_SECONDS, promote)
        preview = assert_share(records, stream=PREVIEW, version="1.1", weight=100, window=settled)
        (switch,) = switches(records, stream=ACTIVE)
        active = assert_share(records, stream=ACTIVE, version="1.1", weight=100, window=switch.settled())
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        active_from_green_before_promotion=none,
        preview_from_green=preview,
        active_from_green_after_promotion=active,
        promote_to_Service_switched=reconciled().judged("promote", switch.t - promote),
        both_versions_answered_for=CONVERGED.judged("the overlap", switch.overlap),
        failed_requests=f"0 of {answered:,}",
    )
