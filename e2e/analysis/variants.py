"""Variants that add analyses to the manifests of the app."""

from __future__ import annotations

from e2e import variants
from e2e.analysis.metrics import GUARDED, OF_VERSION, metric, success_rate
from e2e.types import Variant
from fixtures.kube.client import Object


def template(name: str, *metrics: Object, args: tuple[Object, ...] = ()) -> Variant:
    """Add an AnalysisTemplate with the arguments `namespace` and `pod-hash`, and those in `args`."""

    def change(objects: list[Object]) -> None:
        names = [{"name": arg["name"]} for arg in variants.ARGS]
        metadata = {"name": name, "namespace": objects[0]["metadata"]["namespace"]}
        spec = {"args": [*names, *args], "metrics": [*metrics]}
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"}
        objects.append({**kind, "metadata": metadata, "spec": spec})

    return change


def step(name: str, *args: Object, **fields: object) -> Object:
    """A step of a canary that is an analysis by a template."""
    return {"analysis": variants.analysis(name, args=args, **fields)}


def background(name: str, *args: Object, starting_step: int | None = None) -> Variant:
    """A background analysis by a template, from the first step of the canary or from `starting_step` on."""

    def change(objects: list[Object]) -> None:
        late = {} if starting_step is None else {"startingStep": starting_step}
        variants.strategy_of(objects)["analysis"] = variants.analysis(name, args=args, **late)

    return change


def inline(*steps: int | str | Object | None) -> Variant:
    """These steps, without a background analysis."""
    return variants.combined(variants.without_analysis, variants.canary_steps(*steps))


def per_version(count: int, *, inconclusive_limit: int, error_limit: int = 4) -> Variant:
    """An AnalysisTemplate `per-version` for a step, which fails at the second bad measurement.

    Args:
        count: The number of measurements.
        inconclusive_limit: How many measurements may find no data. It has to be less than `count`, because
            otherwise an analysis without any data would be Successful.
        error_limit: How many errors may follow each other; they come every 10 s.
    """
    limits = {
        "failureLimit": 1,
        "inconclusiveLimit": inconclusive_limit,
        "consecutiveErrorLimit": error_limit,
    }
    measured = metric("success-rate", success_rate(OF_VERSION), GUARDED)
    return template("per-version", {**measured, **limits, "count": count})
