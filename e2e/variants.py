"""Functions that change the manifests of a scenario, for `trial(..., variant=...)`."""

from __future__ import annotations

from collections.abc import Sequence

from e2e.types import Variant
from fixtures.kube.client import Object

# The arguments that tell an analysis which version it judges.
ARGS: tuple[Object, ...] = (
    {"name": "namespace", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    {"name": "pod-hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
)


def combined(*variants: Variant) -> Variant:
    """A variant that applies several variants, one after the other."""

    def change(objects: list[Object]) -> None:
        for variant in variants:
            variant(objects)

    return change


def canary_steps(*steps: int | str | Object | None) -> Variant:
    """Steps of a canary: a number sets the weight, "8s" pauses for that time, None pauses until promoted."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["steps"] = [_step(step) for step in steps]

    return change


def with_short_pauses(objects: list[Object]) -> None:
    """The steps of the base, with pauses of 3 s."""
    for step in strategy_of(objects)["steps"]:
        if "pause" in step:
            step["pause"]["duration"] = "3s"


def without_analysis(objects: list[Object]) -> None:
    """The Rollout has no background analysis."""
    del strategy_of(objects)["analysis"]


def judged_by(*templates: str) -> Variant:
    """The background analysis runs only these AnalysisTemplates."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["analysis"]["templates"] = analysis(*templates)["templates"]

    return change


def aborted_pods_stay(seconds: int) -> Variant:
    """The pods of an aborted canary stay for `seconds`, instead of the base's 2 s."""

    def change(objects: list[Object]) -> None:
        strategy_of(objects)["abortScaleDownDelaySeconds"] = seconds

    return change


def lingering(objects: list[Object]) -> None:
    """Pods serve for 8 s more after SIGTERM: a busy gateway goes on sending them requests for seconds."""
    for each in objects:
        if each["kind"] in ("Deployment", "Rollout"):
            pod = each["spec"]["template"]["spec"]
            pod["terminationGracePeriodSeconds"] = 20
            pod["containers"][0]["env"].append({"name": "LINGER_SECONDS", "value": "8"})


def ready_after(seconds: int) -> Variant:
    """The readiness probe begins `seconds` after the start of a container."""

    def change(objects: list[Object]) -> None:
        (container,) = spec_of(objects)["template"]["spec"]["containers"]
        container["readinessProbe"]["initialDelaySeconds"] = seconds

    return change


def analysis(*templates: str, args: Sequence[Object] = (), **fields: object) -> Object:
    """An analysis of the version that is being released, by these AnalysisTemplates.

    Args:
        *templates: The names of the AnalysisTemplates.
        args: Arguments in addition to `namespace` and `pod-hash`.
        **fields: Further fields of the analysis.
    """
    names = [{"templateName": name} for name in templates]
    return {"templates": names, "args": [*ARGS, *args], **fields}


def manifest_of(objects: list[Object], kind: str, name: str = "payments") -> Object:
    """The one manifest of that kind and name."""
    (manifest,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return manifest


def spec_of(objects: list[Object]) -> Object:
    """The Rollout's spec."""
    spec: Object = manifest_of(objects, "Rollout")["spec"]
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
