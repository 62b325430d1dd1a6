"""Every pinned version can be had, and its source says what its pin says: needs a network, or full caches."""

from __future__ import annotations

import pytest

from e2e.types import Report
from fixtures.addons.components import all_recipes
from fixtures.artifacts import golang
from fixtures.artifacts.links import require_links

_FURTHER = [
    (name, version)
    for name, family in all_recipes().pins.families.items()
    for version in (family[0].version, *family[0].others)
    if family[0].others
]
_SECONDS = 15 * 60


@pytest.mark.parametrize(("name", "version"), _FURTHER, ids=[" ".join(each) for each in _FURTHER])
def test_a_pinned_version_has_all_its_packages_and_says_what_its_pin_says(
    name: str, version: str, numbers: Report
) -> None:
    packages = set[str]()
    for pin in all_recipes({name: version}).pins.family(name):
        wanted = [f"-tags={','.join(pin.tags)}", *pin.binaries.values()]
        # With -mod=readonly, so that nothing is resolved anew, and each download must have its checksum.
        listed = golang.ask("list", "-deps", *wanted, folder=pin.directory, cgo=pin.cgo, within=_SECONDS)
        packages |= set(listed.split())
        require_links(pin)
        assert packages.issuperset(pin.binaries.values())
    numbers(**{f"{name} {version}": f"{len(packages):,} packages"})
