"""Changes of the Rollout's strategy for the blue-green scenarios."""

from __future__ import annotations

from e2e import variants
from e2e.types import Variant
from fixtures.kube.client import Object


def blue_green(**settings: object) -> Variant:
    """Set fields of the blue-green strategy."""

    def change(objects: list[Object]) -> None:
        variants.strategy_of(objects).update(settings)

    return change


def analysis(when: str, *, count: int = 20) -> Variant:
    """The new version's success rate decides; `when` is prePromotionAnalysis or postPromotionAnalysis.

    It is measured `count` times, a second apart; fewer than the template's inconclusiveLimit are refused.
    """

    def change(objects: list[Object]) -> None:
        times = {"name": "count", "value": str(count)}
        variants.strategy_of(objects)[when] = variants.analysis("success-rate", args=[times])

    return change
