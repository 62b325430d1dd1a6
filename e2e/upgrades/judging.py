"""What an upgrade and a rollback must not have done to a fleet, concluded from its records."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from e2e.canary.routes import PROBE
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.members import LONG
from e2e.upgrades.places import NEW
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.upgrades import across, assert_undisturbed, upgrades
from fixtures.judge.verdicts import ALWAYS, Window, assert_exactly_none, assert_no_errors
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, ReplicaSetRecord, RolloutRecord, ServiceRecord
from fixtures.timeline.versions import workload_of

# What ends by itself ends at most so much earlier and later, in seconds. The controller rounds to whole
# seconds. Had an upgrade begun it anew, it would be later by the time from its beginning to the upgrade.
_EARLY, _LATE = 2.0, 15.0


def judged(
    fleet: Fleet,
    *,
    despite_gaps_of: Collection[str] = (),
    errors: range = range(1),
) -> dict[str, object]:
    """Assert that nobody has noticed the upgrades of the fleet's cluster, and return what was seen.

    No object of the fleet has changed meanwhile, no request of any stream has failed, what ends by itself did
    so when it should, each analysis took all its measurements, and headers led to the canary.

    Args:
        fleet: The fleet, after its traffic.
        despite_gaps_of: The kinds whose watches may have a gap; see `assert_undisturbed`.
        errors: How many errors each analysis may have had; by default none.
    """
    records = fleet.trial.records()
    undisturbed = assert_undisturbed(records, window=across(records), despite_gaps_of=despite_gaps_of)
    lasted = {f"{what} of {LONG} s": f"{seconds} s" for what, seconds in went_on_in_time(records).items()}
    took = " and ".join(f"{each.during.end - each.during.start:.1f} s" for each in upgrades(records))
    return {
        "took": took,
        "meanwhile": str(undisturbed),
        **lasted,
        "measurements": measured_on(records, errors),
        "clients with the header": headers_led_to_the_canary(records, fleet.rate),
        "failed requests": f"0 of {lost_requests(fleet, records):,}",
    }


def lost_requests(fleet: Fleet, records: Recording, window: Window = ALWAYS) -> int:
    """Assert that no request of any stream failed in a window, and return how many there were."""
    upgraded = across(records)
    least = int(fleet.rate * (upgraded.end - upgraded.start))
    return sum(
        assert_no_errors(records, stream=stream, window=window, at_least=least) for stream in fleet.streams
    )


def headers_led_to_the_canary(records: Recording, rate: float) -> str:
    """Assert that clients with the header got the canary all the time, and those without it never."""
    window = across(records)
    least = int(rate * (window.end - window.start) / 2)
    probed = assert_exactly_none(records, stream=PROBE, version="probed:1.0", window=window, at_least=least)
    others = assert_exactly_none(
        records, stream="probed", version=f"probed:{NEW}", window=window, at_least=least
    )
    return f"{probed} with it got stable, {others} without it the canary"


def went_on_in_time(records: Recording) -> dict[str, float]:
    """Assert that what ends by itself did so when it should; return how many seconds each lasted."""
    lasted = {
        "pause": _step(records, "timed", 1),
        "autoPromotionSeconds": _until_switched(records, "soon"),
        "scaleDownDelaySeconds": _until_gone(records, "within"),
    }
    window = across(records)
    for what, (start, end) in lasted.items():
        if not start < window.start <= window.end < end:
            raise ConditionNotMetError(
                f"the upgrade and the rollback do not fall into the {what} of {LONG} s"
            )
        if not -_EARLY <= end - start - LONG <= _LATE:
            raise ConditionNotMetError(f"{what}: {LONG} s were asked for, and it lasted {end - start:.1f} s")
    return {what: round(end - start, 1) for what, (start, end) in lasted.items()}


def measured_on(records: Recording, errors: range = range(1)) -> dict[str, str]:
    """Assert that each AnalysisRun took all its measurements, with so many errors; return what each has."""
    runs = {
        each.name: each
        for each in records.present(AnalysisRecord)
        if each.name.startswith(("analysis-", "trial-"))
    }
    wrong = [
        f"{name}: {run.run_phase}, {run.count} measurements, {run.error} errors, {run.failed} failed"
        for name, run in runs.items()
        if (run.run_phase, run.count, run.failed) != ("Successful", LONG, 0) or run.error not in errors
    ]
    # One of the step, and two of the experiment.
    if wrong or len(runs) != 3:
        raise ConditionNotMetError(f"of 3 AnalysisRuns with {LONG} measurements each: {wrong or [*runs]}")
    return {name: f"{run.inconclusive} without data, {run.error} errors" for name, run in runs.items()}


def measured_through(records: Recording, *, errors: range) -> dict[str, str]:
    """Assert that each AnalysisRun under way at an upgrade had so many errors, and was good all the same.

    Returns:
        What each has measured.
    """
    window = across(records)
    names = {each.name for each in records.present(AnalysisRecord) if each.t in window}
    runs = {each.name: each for each in records.present(AnalysisRecord) if each.name in names}
    wrong = [
        f"{name}: {run.run_phase}, {run.failed} failed, {run.error} errors; {run.run_message or run.message}"
        for name, run in runs.items()
        if (run.run_phase, run.failed) != ("Successful", 0) or run.error not in errors
    ]
    if wrong or not runs:
        raise ConditionNotMetError(f"AnalysisRuns: {wrong or 'none'}")
    return {
        name: f"{run.count} measurements, {run.inconclusive} of them without data, {run.error} errors"
        for name, run in runs.items()
    }


def unmeasured(records: Recording, name: str = "analysis") -> list[float]:
    """For each upgrade, the longest time around it without a measurement of a Rollout's run, in seconds."""
    runs = sorted(
        (each for each in records.present(AnalysisRecord) if each.name.startswith(f"{name}-")),
        key=lambda each: each.name,
    )
    # Of measurements that the watch has told together, only the time that they do not account for is silent.
    silences = [
        (earlier.t, later.t, later.t - earlier.t - max(later.count - earlier.count - 1, 0))
        for earlier, later in pairwise(runs)
        if earlier.name == later.name
    ]
    return [
        max(
            (silent for start, end, silent in silences if start < each.after.end and end > each.during.start),
            default=0.0,
        )
        for each in upgrades(records)
    ]


def _step(records: Recording, name: str, step: int) -> tuple[float, float]:
    """From when until when the release of a Rollout was at a step."""
    own = [each for each in records.present(RolloutRecord) if each.name == name and not each.promoted_full]
    start = next(each.t for each in own if (each.step, each.phase) == (step, "Paused"))
    return start, next(each.t for each in own if (each.step or 0) > step)


def _until_switched(records: Recording, name: str) -> tuple[float, float]:
    """From when the preview was available until the active Service had the new version."""
    new = _hash(records, name, NEW)
    sets = [each for each in records.present(ReplicaSetRecord) if each.hash == new]
    start = next(each.t for each in sets if each.available)
    return start, _selected(records, f"{name}-active", new)


def _until_gone(records: Recording, name: str) -> tuple[float, float]:
    """From when the active Service had the new version until the old one had no pods to keep."""
    start = _selected(records, f"{name}-active", _hash(records, name, NEW))
    old = _hash(records, name, "1.0")
    sets = [each for each in records.present(ReplicaSetRecord) if each.hash == old and each.t > start]
    return start, next(each.t for each in sets if not each.desired)


def _selected(records: Recording, service: str, pod_hash: str) -> float:
    own = [each for each in records.present(ServiceRecord) if each.name == service]
    return next(each.t for each in own if each.hash == pod_hash)


def _hash(records: Recording, name: str, tag: str) -> str:
    sets = [each for each in records.present(ReplicaSetRecord) if workload_of(each) == name]
    return str(next(each.hash for each in sets if (each.image or "").endswith(f":{tag}")))
