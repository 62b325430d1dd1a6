"""How long it would take to make the components that are not in the cache."""

from __future__ import annotations

from fixtures.artifacts.builder import Builder
from fixtures.artifacts.pins import pins
from fixtures.artifacts.recipes import choose_versions, recipe, recipes


def seconds_to_make() -> float:
    """What it would take at most, in seconds: for all components, and for the other versions of some."""
    usual = {name: found.version for name, found in pins().items()}
    total = _seconds()
    for name, found in list(pins().items()):
        for version in found.others:
            choose_versions({name: version})
            total += _seconds()
            choose_versions({name: usual[name]})
    return total


def _seconds() -> float:
    return sum(recipe(name).seconds for name in Builder().missing(*recipes()))
