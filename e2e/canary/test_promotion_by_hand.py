"""A person promotes a canary by one step, or fully."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.bounds import PODS
from e2e.canary.walking import steps_since
from e2e.types import Report, StartTrial
from e2e.variants import canary_steps, combined, judged_by, without_analysis
from fixtures.conditions.conditions import analysis_failed, paused_at, promoted, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.bounds import reconciled
from fixtures.judge.convergence import assert_alone, windows
from fixtures.judge.verdicts import assert_no_errors, assert_share
from fixtures.kube.client import Object
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE

# No version can be right more often than always.
_IMPOSSIBLE = "2"
_AT_10 = all_of(paused_at(1), weight_is(10))


@pytest.mark.scenario("can-8")
def test_promote_goes_on_by_one_step_and_stops_at_the_next_pause(trial: StartTrial, numbers: Report) -> None:
    steps = canary_steps(10, None, 30, None, 60, None)
    with trial("canary", variant=combined(without_analysis, steps)) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(_AT_10, within=60)
            app.stays(_AT_10, weights={"1.0": 90, "1.1": 10})
            promoted_at = app.timeline.clock()
            app.promote()
            app.wait(all_of(paused_at(3), weight_is(30)), within=30)
            took = app.timeline.clock() - promoted_at
            app.stays(all_of(paused_at(3), weight_is(30)), weights={"1.0": 70, "1.1": 30})
        records = app.records()

        assert steps_since(records, promoted_at) == [1, 2, 3]
        shares = _shares(records)
        assert shares.keys() == {10, 30}, f"the VirtualService claimed {shares.keys()}"
        answered = assert_no_errors(records, stream=ACTIVE)
    for weight, share in shares.items():
        numbers(**{f"share at {weight}%": share})
    numbers(
        promote_to_paused_at_30=reconciled().judged("promote", took), failed_requests=f"0 of {answered:,}"
    )


@pytest.mark.scenario("can-8")
def test_promote_meets_the_analysis_that_promote_full_would_skip(trial: StartTrial) -> None:
    with trial("canary", variant=_guarded) as app, app.traffic(100):
        app.deploy("1.1")
        app.wait(_AT_10, within=60)
        app.promote()
        app.wait(analysis_failed(), within=60)
        app.wait_contained("1.1", within=15)
        app.stays_contained("1.1", for_=5)


@pytest.mark.scenario("can-8")
def test_promote_full_skips_every_step_and_every_analysis(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=_guarded) as app:
        with app.traffic(100):
            app.deploy("1.1")
            app.wait(_AT_10, within=60)
            promoted_at = app.timeline.clock()
            app.promote(full=True)
            app.wait(promoted("1.1"), within=60)
            took = app.timeline.clock() - promoted_at
            app.stays_promoted("1.1")
        records = app.records()

        assert records.present(AnalysisRecord) == [], "an analysis was run"
        assert steps_since(records, promoted_at) == [1, 5], "it went through the steps"
        share = assert_alone(records, stream=ACTIVE, version="1.1")
        claimed = [each.weights.get("1.1", 0) for each in windows(records, stream=ACTIVE)]
        assert claimed == [10, 100], f"the claim went through {claimed}"
        answered = assert_no_errors(records, stream=ACTIVE)
    numbers(
        promote_full_to_promoted=(PODS + reconciled()).judged("promote full", took),
        share_after_it=share,
        failed_requests=f"0 of {answered:,}",
    )


def _guarded(objects: list[Object]) -> None:
    """After the first pause, an analysis that nothing passes, both as a step and in the background."""
    judged_by("success-rate")(objects)
    strategy = variants.strategy_of(objects)
    strategy["analysis"]["startingStep"] = 2
    strategy["analysis"]["args"].append({"name": "threshold", "value": _IMPOSSIBLE})
    inline = {key: strategy["analysis"][key] for key in ("templates", "args")}
    # As many as the template's inconclusiveLimit, or the run is refused.
    count = {"name": "count", "value": "20"}
    inline["args"] = [arg for arg in inline["args"] if arg["name"] != "count"] + [count]
    canary_steps(10, None, 30, {"analysis": inline}, None)(objects)


def _shares(records: Recording) -> dict[float, object]:
    """The share at each weight that the VirtualService claimed for 1.1."""
    return {
        each.weights["1.1"]: assert_share(
            records, stream=ACTIVE, version="1.1", weight=each.weights["1.1"], window=each.window
        )
        for each in windows(records, stream=ACTIVE)
    }
