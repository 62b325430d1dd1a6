"""Conditions: a Rollout of the fleet is in the state in which an upgrade is to meet it."""

from __future__ import annotations

from fixtures.conditions.conditions import at_step, healthy, paused_at, preview_ready, promoted
from fixtures.conditions.expectation import Assessment, Condition, all_of, met, pending
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.records import AnalysisRecord, PodRecord
from fixtures.timeline.state import State
from fixtures.timeline.versions import workload_of

NEW = "1.1"
"""The version that is being released."""


def in_place() -> dict[str, Condition]:
    """For each Rollout with a release under way, by name: it is at the place that it is to be found at."""
    return {
        "weight": all_of(at_step(0, name="weight"), runs("weight", NEW)),
        "timed": paused_at(1, name="timed"),
        "endless": paused_at(1, name="endless"),
        "analysis": all_of(at_step(1, name="analysis"), measures("analysis", runs=1)),
        "probed": paused_at(2, name="probed"),
        "trial": all_of(at_step(0, name="trial"), measures("trial", runs=2)),
        "background": all_of(paused_at(1, name="background"), measures("background", runs=1)),
        "half": paused_at(2, name="half"),
        "before": _previewed("before"),
        "soon": _previewed("soon"),
        "within": all_of(promoted(NEW, name="within"), runs("within", "1.0")),
        "after": all_of(promoted(NEW, name="after"), runs_alone("after", NEW)),
    }


def at_rest(*names: str) -> Condition:
    """All these Rollouts are Healthy, and so is that of the trial."""
    return all_of(healthy(), *(healthy(name=name) for name in names))


def runs(name: str, tag: str) -> Condition:
    """A pod of a version runs, ready or not, and is not ending."""

    def check(state: State) -> Assessment:
        tags = _tags(state, name)
        return (met if tag in tags else pending)(f"pods of {name} that run: {', '.join(tags) or 'none'}")

    return Condition(f"a pod of {tag} of {name} runs", check, name)


def runs_alone(name: str, tag: str) -> Condition:
    """All pods of a Rollout are of one version, and none of another is left."""

    def check(state: State) -> Assessment:
        tags = [tag_of(pod.image) for pod in state.all(PodRecord) if workload_of(pod) == name]
        return (met if {*tags} == {tag} else pending)(f"pods of {name}: {tags}")

    return Condition(f"all pods of {name} are of {tag}", check, name)


def measures(name: str, *, runs: int) -> Condition:
    """So many AnalysisRuns of a Rollout, or of its Experiment, are running and have a good measurement."""

    def check(state: State) -> Assessment:
        own = [run for run in state.all(AnalysisRecord) if run.name.startswith(f"{name}-")]
        going = [run for run in own if run.run_phase == "Running" and run.count > run.inconclusive]
        seen = ", ".join(f"{run.name} {run.run_phase} {run.count}" for run in own) or "none"
        return (met if len(going) == runs else pending)(f"AnalysisRuns: {seen}")

    return Condition(f"{runs} AnalysisRuns of {name} measure", check, name)


def _previewed(name: str) -> Condition:
    return all_of(preview_ready(NEW, service=f"{name}-preview", name=name), paused_at(name=name))


def _tags(state: State, name: str) -> list[str]:
    pods = [pod for pod in state.all(PodRecord) if workload_of(pod) == name and pod.phase == "Running"]
    return [tag for pod in pods if (tag := tag_of(pod.image))]
