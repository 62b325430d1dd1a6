"""The strategies of the matrix: small, quick apps, of which each differs by what it is about."""

from __future__ import annotations

from dataclasses import dataclass

from e2e import variants
from e2e.analysis.variants import inline, per_version, step
from e2e.bluegreen.strategy import blue_green
from e2e.canary.subsets import split_by_subset
from e2e.types import Variant
from fixtures.kube.client import Object

# The canary's weight at its first pause.
FIRST = 20
# Seconds that the pods of the version before stay after a promotion.
SCALE_DOWN_DELAY = 8
# Measurements of the analysis, one each second.
_MEASUREMENTS = 8


@dataclass(frozen=True)
class Strategy:
    """A strategy of the matrix.

    Attributes:
        name: Its name.
        what: What it is, in words.
        base: The base of the sample app.
        variant: What is different from the base.
        with_analysis: The same with an analysis that decides before all clients get the new version.
        switched: The Service or subset that is pointed at the new version before that gets any weight.
        others: The Service that all clients reach after a promotion; "" if weights decide.
    """

    name: str
    what: str
    base: str
    variant: Variant
    with_analysis: Variant
    switched: str
    others: str = ""


def _quick(objects: list[Object]) -> None:
    """A pod is unready after one failed probe, and old pods stay for a short time."""
    (container,) = variants.spec_of(objects)["template"]["spec"]["containers"]
    container["readinessProbe"]["failureThreshold"] = 1
    variants.strategy_of(objects)["scaleDownDelaySeconds"] = SCALE_DOWN_DELAY


def _dynamic(objects: list[Object]) -> None:
    strategy = variants.strategy_of(objects)
    strategy["dynamicStableScale"] = True
    # The controller refuses both together with it.
    del strategy["abortScaleDownDelaySeconds"], strategy["scaleDownDelaySeconds"]


_STEPS = inline(FIRST, None, 60, "2s")
_ANALYSED = variants.combined(
    per_version(_MEASUREMENTS, inconclusive_limit=_MEASUREMENTS - 1),
    inline(FIRST, step("per-version"), 60, "2s"),
)


def _canary(name: str, what: str, *also: Variant, switched: str = "payments-canary") -> Strategy:
    return Strategy(
        name,
        what,
        "canary",
        variants.combined(_STEPS, _quick, *also),
        variants.combined(_ANALYSED, _quick, *also),
        switched,
    )


STRATEGIES = {
    each.name: each
    for each in (
        _canary("host", "a canary whose traffic is divided between two Services"),
        _canary(
            "subset",
            "a canary whose traffic is divided between subsets of one Service",
            split_by_subset,
            switched="payments/canary",
        ),
        _canary("dynamic", "a canary with `dynamicStableScale`, between two Services", _dynamic),
        Strategy(
            "blue-green",
            "blue-green, promoted by hand",
            "bluegreen",
            _quick,
            variants.combined(
                _quick,
                # Shorter than progressDeadlineSeconds less a fault: it counts before a promotion, too.
                per_version(_MEASUREMENTS, inconclusive_limit=_MEASUREMENTS - 1),
                blue_green(autoPromotionEnabled=True, prePromotionAnalysis=variants.analysis("per-version")),
            ),
            "payments-preview",
            "payments-active",
        ),
    )
}
