"""What the manifests of a scenario have different from the bases: functions for `trial(..., variant=...)`."""

from __future__ import annotations

from collections.abc import Sequence

from e2e.types import Variant
from fixtures.kube.client import Object

# By which an analysis knows whom it judges.
ARGS: tuple[Object, ...] = (
    {"name": "namespace", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    {"name": "pod-hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
)


def combined(*variants: Variant) -> Variant:
    """One variant after the other."""

    def change(objects: list[Object]) -> None:
        for variant in variants:
            variant(objects)

    return change


def canary_steps(*steps: int | str | Object | None) -> Variant:
    """Steps of a canary: a number sets the weight, "8s" pauses for as long, None until it is promoted."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["steps"] = [_step(step) for step in steps]

    return change


def with_short_pauses(objects: list[Object]) -> None:
    """The base's own walk in a few seconds."""
    for step in strategy_of(objects)["steps"]:
        if "pause" in step:
            step["pause"]["duration"] = "3s"


def without_analysis(objects: list[Object]) -> None:
    """The Rollout judges nothing."""
    del strategy_of(objects)["analysis"]


def judged_by(*templates: str) -> Variant:
    """The background analysis runs these AnalysisTemplates alone."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["analysis"]["templates"] = analysis(*templates)["templates"]

    return change


def aborted_pods_stay(seconds: int) -> Variant:
    """The pods of an aborted canary stay for as long, instead of the base's 2 s."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["abortScaleDownDelaySeconds"] = seconds

    return change


def lingering(objects: list[Object]) -> None:
    """Pods that are told to go serve for 8 s more: a gateway that is busy takes seconds to leave them."""
    for each in objects:
        if each["kind"] in ("Deployment", "Rollout"):
            pod = each["spec"]["template"]["spec"]
            pod["terminationGracePeriodSeconds"] = 20
            pod["containers"][0]["env"].append({"name": "LINGER_SECONDS", "value": "8"})


def ready_after(seconds: int) -> Variant:
    """Pods are asked whether they are ready only when they are as old as that."""

    def change(objects: list[Object]) -> None:
        (container,) = spec_of(objects)["template"]["spec"]["containers"]
        container["readinessProbe"]["initialDelaySeconds"] = seconds

    return change


def analysis(*templates: str, args: Sequence[Object] = (), **fields: object) -> Object:
    """An analysis of the version that is being released, by these AnalysisTemplates.

    Args:
        *templates: Their names.
        args: Arguments besides `namespace` and `pod-hash`.
        **fields: Further fields.
    """
    names = [{"templateName": name} for name in templates]
    return {"templates": names, "args": [*ARGS, *args], **fields}


def found(objects: list[Object], kind: str, name: str = "payments") -> Object:
    """The manifest of that kind and name."""
    (manifest,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return manifest


def spec_of(objects: list[Object]) -> Object:
    """The Rollout's spec."""
    spec: Object = found(objects, "Rollout")["spec"]
    return spec


def strategy_of(objects: list[Object]) -> Object:
    """The Rollout's canary or blue-green strategy."""
    (strategy,) = spec_of(objects)["strategy"].values()
    assert isinstance(strategy, dict)
    return strategy


def _step(step: int | str | Object | None) -> Object:
    if isinstance(step, int):
        return {"setWeight": step}
    if isinstance(step, str):
        return {"pause": {"duration": step}}
    return {"pause": {}} if step is None else step
