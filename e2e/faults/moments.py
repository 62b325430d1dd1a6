"""The moments of the matrix: how each is reached and told from the timeline, and how the release goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from e2e.faults.strategies import FIRST, Strategy
from fixtures.conditions.conditions import (
    aborted,
    behind,
    paused_at,
    preview_ready,
    promoted,
    scaled_to,
    weight_is,
)
from fixtures.conditions.expectation import Assessment, Condition, all_of, any_of, met, pending, unknown
from fixtures.kube.kinds import VIRTUAL_SERVICE
from fixtures.timeline.records import RolloutRecord
from fixtures.timeline.state import State
from fixtures.trial.trial import Trial

OLD, NEW = "1.0", "1.1"
# Seconds until a moment is reached on a busy machine.
_REACHED = 60.0
# Steps of a canary: the weight is set at 0, the pause is 1.
_PAUSE = 1

Act = Callable[[Trial, Strategy], None]


@dataclass(frozen=True)
class Moment:
    """A moment of a release.

    Attributes:
        name: Its name.
        what: Which moment it is, in words.
        reach: Releases the new version, and returns when the moment has come.
        is_now: The condition by which it is told that this moment is.
        ends: The condition that the release has ended as it should.
        go_on: What a person does after the fault, so that the release goes on.
        held: A `with` block that holds the moment open, because it is shorter than a fault takes to begin.
    """

    name: str
    what: str
    reach: Act
    is_now: Callable[[Strategy], Condition]
    ends: Callable[[Strategy], Condition]
    go_on: Act = lambda _, __: None
    held: Callable[[Trial, Strategy], AbstractContextManager[object]] = lambda _, __: nullcontext()


def _without_pods(_: Strategy) -> Condition:
    def check(state: State) -> Assessment:
        if not state.has_had(NEW):
            return unknown(f"no ReplicaSet of {NEW} was seen")
        available = sum(each.available for each in state.replica_sets_of(NEW))
        return (pending if available else met)(f"{available} pods of {NEW} are available")

    return Condition(f"{NEW} without a pod", check)


def _switched(strategy: Strategy) -> Condition:
    if strategy.others:
        return preview_ready(NEW)
    return all_of(behind(NEW, strategy.switched), weight_is(0))


def _paused(strategy: Strategy) -> Condition:
    if strategy.others:
        return all_of(paused_at(), preview_ready(NEW))
    return all_of(paused_at(_PAUSE), weight_is(FIRST))


def _measuring(_: Strategy) -> Condition:
    def check(state: State) -> Assessment:
        rollout = next(iter(state.all(RolloutRecord)), None)
        runs = state.analysis(rollout.current) if rollout else []
        if not runs:
            return unknown("no AnalysisRun was seen")
        running = [run for run in runs if run.run_phase == "Running" and run.count]
        return (met if running else pending)(", ".join(f"{run.run_phase} {run.count}" for run in runs))

    return Condition("an analysis with a measurement", check)


def _promoting(strategy: Strategy) -> Condition:
    everything = behind(NEW, strategy.others) if strategy.others else weight_is(100)
    return any_of(everything, promoted(NEW))


def _aborting(_: Strategy) -> Condition:
    def check(state: State) -> Assessment:
        rollout = next(iter(state.all(RolloutRecord)), None)
        is_aborted = rollout is not None and rollout.abort
        return (met if is_aborted else pending)("status.abort is set" if is_aborted else "not aborted")

    return Condition("the abort asked for", check)


def _delaying(_: Strategy) -> Condition:
    def check(state: State) -> Assessment:
        pods = sum(each.desired for each in state.replica_sets_of(OLD))
        is_done = promoted(NEW).check(state)
        return met(f"{pods} old pods") if pods and is_done.status is _MET else pending(is_done.message)

    return Condition(f"{OLD} kept after the promotion", check)


_MET = met("").status


def _promoted(_: Strategy) -> Condition:
    return promoted(NEW)


def _promoted_or_aborted(strategy: Strategy) -> Condition:
    return any_of(promoted(NEW), _contained(strategy))


def _contained(strategy: Strategy) -> Condition:
    gone = scaled_to(0, NEW)
    return (
        all_of(aborted(version=NEW), gone) if strategy.others else all_of(aborted(version=NEW), weight_is(0))
    )


def _old_gone(_: Strategy) -> Condition:
    return all_of(promoted(NEW), scaled_to(0, OLD))


def _release_until(is_now: Callable[[Strategy], Condition]) -> Act:
    def reach(app: Trial, strategy: Strategy) -> None:
        app.deploy(NEW)
        app.wait(is_now(strategy), within=_REACHED)

    return reach


def _promote_until(is_now: Callable[[Strategy], Condition]) -> Act:
    def reach(app: Trial, strategy: Strategy) -> None:
        _release_until(_paused)(app, strategy)
        app.promote()
        app.wait(is_now(strategy), within=_REACHED)

    return reach


def _abort(app: Trial, strategy: Strategy) -> None:
    _release_until(_paused)(app, strategy)
    app.abort()


def _promote(app: Trial, strategy: Strategy) -> None:
    """End the pause once it is there; a fault may have aborted the release by itself."""
    app.wait(any_of(_paused(strategy), _contained(strategy)), within=_REACHED)
    if not app.sees(aborted(version=NEW), within=0.1):
        app.promote()


@contextmanager
def _refused(app: Trial, strategy: Strategy) -> Iterator[None]:
    """Refuse the controller's weights, without which the moment is over within some milliseconds."""
    with nullcontext() if strategy.others else app.faults.api_server.refuse(VIRTUAL_SERVICE):
        yield


MOMENTS = {
    each.name: each
    for each in (
        Moment(
            "first-pod",
            "before the first pod of the new version is available",
            _release_until(_without_pods), _without_pods, _promoted_or_aborted, _promote,
        ),
        Moment(
            "switch",
            "between the switch of the Service or subset and the first weight; blue-green: of the preview",
            _release_until(_switched), _switched, _promoted_or_aborted, _promote, _refused,
        ),
        Moment(
            "pause", "in a pause without an end",
            _release_until(_paused), _paused, _promoted_or_aborted, _promote,
        ),
        Moment(
            "analysis", "during an analysis, after its first measurement",
            _release_until(_measuring), _measuring, _promoted_or_aborted,
        ),
        Moment(
            "promotion", "when all clients have just been given the new version",
            _promote_until(_promoting), _promoting, _promoted_or_aborted,
        ),
        Moment("abort", "just after an abort by hand", _abort, _aborting, _contained),
        Moment(
            "scale-down", "after the promotion, while the old pods are kept",
            _promote_until(_promoted), _delaying, _old_gone,
        ),
    )
}  # fmt: skip
