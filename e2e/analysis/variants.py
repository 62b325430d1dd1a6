"""Analyses put into the manifests of the app."""

from __future__ import annotations

from e2e import variants
from e2e.analysis.metrics import GUARDED, OF_VERSION, metric, success_rate
from e2e.types import Variant
from fixtures.kube.client import Object


def template(name: str, *metrics: Object, args: tuple[Object, ...] = ()) -> Variant:
    """A further AnalysisTemplate, which takes the arguments `namespace` and `pod-hash`."""

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
    """Analysis by a template for as long as the canary goes on, from its first step on or a later one."""

    def change(objects: list[Object]) -> None:
        late = {} if starting_step is None else {"startingStep": starting_step}
        variants.strategy_of(objects)["analysis"] = variants.analysis(name, args=args, **late)

    return change


def inline(*steps: int | str | Object | None) -> Variant:
    """These steps, and no analysis but the ones among them."""
    return variants.combined(variants.without_analysis, variants.canary_steps(*steps))


def per_version(count: int, *, inconclusive_limit: int, error_limit: int = 4) -> Variant:
    """The app's own `success-rate` for a step: two bad measurements end it.

    Args:
        count: How often it measures.
        inconclusive_limit: How often it may find no data; fewer than `count`, or no data at all would do.
        error_limit: How many errors may follow each other, one every 10 s.
    """
    limits = {
        "failureLimit": 1,
        "inconclusiveLimit": inconclusive_limit,
        "consecutiveErrorLimit": error_limit,
    }
    measured = metric("success-rate", success_rate(OF_VERSION), GUARDED)
    return template("per-version", {**measured, **limits, "count": count})
