"""Canaries that are released many times, in order to compare their aborts with predictions.

Each is written with the durations of a real release, from 13 to 20 minutes. They are shortened by
`--time-scale`, as those of any app are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from e2e.analysis.metrics import GUARDED, OF_VERSION, metric, success_rate
from e2e.analysis.variants import background, inline, step, template
from e2e.types import Variant
from e2e.variants import canary_steps, combined, strategy_of, without_analysis
from fixtures.apps.app import apps
from fixtures.apps.manifest import of_objects
from fixtures.kube.client import Object
from fixtures.rehearsal.predictions import HERE, predicted
from fixtures.rehearsal.scaling.scale import scaled
from fixtures.trial.sample_baseline import baseline
from sample_app.versions import IMAGE

FACTOR = 60.0
# Requests per second of all clients, of which the canary gets its weight.
RATE = 30.0
_ALL_VERSIONS = 'namespace="{{args.namespace}}"'


def _bounded(least: float) -> dict[str, str]:
    """Conditions for a share, which make no data inconclusive."""
    return {name: text.replace("0.95", f"{least:g}") for name, text in GUARDED.items()}


def _judged(labels: str, minutes: int, conditions: Mapping[str, str], **fields: object) -> Variant:
    query = success_rate(labels, seconds=60 * minutes)
    fields = {"count": 0, "interval": "1m", "inconclusiveLimit": 30, **fields}
    return template("errors", {**metric("errors", query, dict(conditions)), **fields})


def _in_background(*steps: int | str, judged: Variant, starting_step: int = 1) -> Variant:
    return combined(
        without_analysis, judged, background("errors", starting_step=starting_step), canary_steps(*steps)
    )


# By name, as a user might write them.
WRITTEN: Mapping[str, Variant] = {
    # Two bad measurements of the last 5 minutes abort, as in the sample API's own canary.
    "background": _in_background(10, "14m", 50, "4m", judged=_judged(OF_VERSION, 5, GUARDED, failureLimit=1)),
    # One step, and so little traffic that a measurement sees 7 requests.
    "one step": _in_background(5, "13m", judged=_judged(OF_VERSION, 5, GUARDED, failureLimit=1)),
    # An analysis as a step, after a pause in which requests come.
    "step": combined(
        _judged(OF_VERSION, 5, GUARDED, failureLimit=1, count=8, inconclusiveLimit=7),
        inline(20, "8m", step("errors"), 50, "2m"),
    ),
    # No guard against missing data, a delay instead, and no second chance.
    "bare": _in_background(
        25,
        "15m",
        judged=_judged(
            OF_VERSION,
            4,
            {"successCondition": "result[0] >= 0.9"},
            initialDelay="6m",
            interval="2m",
            failureLimit=0,
        ),
    ),
    # A long range, a low bound, and three bad measurements are allowed.
    "lenient": _in_background(
        20, "12m", 40, "6m", judged=_judged(OF_VERSION, 10, _bounded(0.9), failureLimit=3)
    ),
    # The share of all versions together, in which the errors of a canary are a small part.
    "both versions": _in_background(
        20, "8m", 50, "8m", judged=_judged(_ALL_VERSIONS, 5, _bounded(0.97), failureLimit=1)
    ),
}


def shortened(objects: list[Object]) -> None:
    """Shorten all durations of the app by `FACTOR`."""
    (app,) = apps(of_objects(objects))
    objects[:] = [each.body for each in scaled(app, FACTOR).app.objects]


def _quickly_over(objects: list[Object]) -> None:
    """Pods of a release end soon after it, so that the next one can begin; it is decided by then."""
    strategy_of(objects).update(scaleDownDelaySeconds=2, abortScaleDownDelaySeconds=2)


# The pods of the sample API show a series of failures before the first one.
MONITORING = replace(HERE, starts_at_zero=True)
CONFIGURATIONS: Mapping[str, Callable[[list[Object]], None]] = {
    name: combined(variant, shortened, _quickly_over) for name, variant in WRITTEN.items()
}


def predictions(configuration: str, shares: Sequence[float]) -> dict[float, float]:
    """The probability that a version is aborted, by the share of its requests that it fails."""
    variant = CONFIGURATIONS[configuration]
    app = baseline("canary", version="1.0", image=IMAGE, replicas=1, variant=variant).app
    results = predicted(app, RATE, shares, monitoring=MONITORING)
    assert results is not None, f"nothing of {configuration} can be simulated"
    return {each.share: each.aborted for each in results}
