"""A preview that fails its smoke test is not promoted, and goes away."""

from __future__ import annotations

import pytest

from e2e.bluegreen.smoke import smoke_test, wait_for_preview
from e2e.bluegreen.switching import selected, used_at
from e2e.scaling import scaled_down_at
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, preview_ready, scaled_to
from fixtures.judge.bounds import lasting, reconciled
from fixtures.judge.verdicts import assert_exactly_none, assert_no_errors
from fixtures.trial.trial import ACTIVE

_ABORT_DELAY = 10  # abortScaleDownDelaySeconds of the base

_REMOVED = lasting("abortScaleDownDelaySeconds", _ABORT_DELAY) + reconciled()


@pytest.mark.scenario("bg-4")
def test_a_preview_that_fails_its_smoke_test_is_aborted_and_removed(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("bluegreen") as app:
        before = app.stable_pods()
        with app.traffic(100):
            app.deploy("1.2-5xx")
            app.wait(preview_ready("1.2-5xx"), within=60)
            app.wait(paused_at(), within=30)
            wrong = smoke_test(app, "1.2-5xx")
            assert wrong == ["create a payment: HTTP 500", "list payments: HTTP 500"]
            app.abort()
            app.wait(aborted(version="1.2-5xx"), within=60)
            app.wait(scaled_to(0, "1.2-5xx"), within=_ABORT_DELAY + 80)
            wait_for_preview(app, 503)
        records = app.records()

        none = assert_exactly_none(records, stream=ACTIVE, version="1.2-5xx")
        answered = assert_no_errors(records, stream=ACTIVE)
        assert selected(records) == ["1.0"], "the active Service was switched"
        # Nothing points the preview back: see docs/findings.md.
        assert selected(records, "payments-preview") == ["1.0", "1.2-5xx"]
        assert app.stable_pods() == before, "blue's pods were touched"
        removed = scaled_down_at(records, "1.2-5xx", used_at(records, "abort")) - used_at(records, "abort")
        assert removed >= _ABORT_DELAY - 2, f"green was scaled down after {removed:.1f} s"
    numbers(
        smoke_test="; ".join(wrong),
        abort_to_green_scaled_down=_REMOVED.judged("from abort to green's end", removed),
        preview_afterwards="503: its Service still selects the aborted version",
        active_from_green=none,
        failed_requests=f"0 of {answered:,}",
    )


@pytest.mark.scenario("bg-4")
def test_the_same_smoke_test_passes_a_good_preview(trial: StartTrial) -> None:
    with trial("bluegreen") as app:
        app.deploy("1.1")
        app.wait(preview_ready("1.1"), within=60)
        assert smoke_test(app, "1.1") == []
