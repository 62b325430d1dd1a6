"""A blue-green preview is for those who ask for it, and for nobody else."""

from __future__ import annotations

import pytest

from e2e.types import Report, StartTrial
from fixtures.rollout.conditions import paused_at, preview_ready, promoted
from fixtures.rollout.timeline import of_kind
from fixtures.rollout.verdicts import Window, assert_exactly_none, assert_no_errors, assert_share, requests
from fixtures.trial import ACTIVE, PREVIEW

# Until the gateway has taken over a change of the preview Service's endpoints.
_CONVERGENCE_SECONDS = 5.0


@pytest.mark.every_provider
@pytest.mark.scenario("bg-1")
def test_a_preview_holds_until_it_is_promoted(trial: StartTrial, numbers: Report) -> None:
    with trial("bluegreen") as app:
        with app.traffic(preview_rate=100):
            app.deploy("1.1")
            app.wait(preview_ready("1.1"), within=60)
            app.wait(paused_at(), within=30)
            ready = app.timeline.clock()
            app.holds(paused_at(), for_=_CONVERGENCE_SECONDS + 12)
            asked = app.timeline.clock()
            app.promote()
            app.wait(promoted("1.1"), within=60)
            app.holds(promoted("1.1"), for_=_CONVERGENCE_SECONDS + 6)
        records = app.records()

        held, settled = Window(end=asked), Window(ready + _CONVERGENCE_SECONDS, asked)
        none = assert_exactly_none(records, lane=ACTIVE, version="1.1", window=held)
        preview = assert_share(records, lane=PREVIEW, version="1.1", weight=100, window=settled)
        after = Window(asked + _CONVERGENCE_SECONDS)
        active = assert_share(records, lane=ACTIVE, version="1.1", weight=100, window=after)
        answered = assert_no_errors(records, lane=ACTIVE)
        switch = [
            r for r in of_kind(records, "service") if r["name"] == "payments-active" and r["t"] >= asked
        ]
        green = [r.t for r in requests(records, ACTIVE, Window(asked)) if r.version == "1.1"]
        blue = [r.t for r in requests(records, ACTIVE, Window(asked)) if r.version == "1.0"]
    numbers(
        active_from_green_before_promotion=none,
        preview_from_green=preview,
        active_from_green_after_promotion=active,
        promote_to_Service_switched=f"{switch[0]['t'] - asked:.2f} s",
        both_versions_answered_for=f"{max(0.0, max(blue) - min(green)):.2f} s",
        failed_requests=f"0 of {answered:,}",
    )
