"""How long it would take to make the components that are not in the cache."""

from __future__ import annotations

from e2e.components import FURTHER_VERSIONS
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.pins import parse_choices
from fixtures.artifacts.recipes import Recipes

# There is an image store for each set of add-ons. A start makes its own in 15 s; no run needs all of them.
_IMAGE_STORES = "image-store"


def seconds_to_make() -> float:
    """What it would take at most, in seconds: all components, and the other versions that tests need.

    Image stores are left out.
    """
    usual = all_recipes()
    others = [usual.at(parse_choices([choice])) for choice in FURTHER_VERSIONS]
    return sum(_seconds(recipes) for recipes in (usual, *others))


def _seconds(recipes: Recipes) -> float:
    missing = Builder(recipes).missing(*recipes)
    return sum(recipes[name].seconds for name in missing if not name.startswith(_IMAGE_STORES))
