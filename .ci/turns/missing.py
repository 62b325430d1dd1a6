"""How long it would take to make the components that are not in the cache."""

from __future__ import annotations

from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.recipes import Recipes


def seconds_to_make() -> float:
    """What it would take at most, in seconds: for all components, and for the other versions of some."""
    usual = all_recipes()
    others = [usual.at({name: version}) for name in usual.pins for version in usual.pins[name].others]
    return sum(_seconds(recipes) for recipes in (usual, *others))


def _seconds(recipes: Recipes) -> float:
    return sum(recipes[name].seconds for name in Builder(recipes).missing(*recipes))
