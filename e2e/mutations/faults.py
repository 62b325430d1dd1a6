"""All faults of the mutation check, in the order of the page."""

from __future__ import annotations

import tomllib
from pathlib import Path

from e2e.mutations.controller import Edit
from e2e.mutations.fault import Fault
from e2e.mutations.in_gitops import IN_GITOPS
from e2e.mutations.in_harness import IN_HARNESS
from e2e.mutations.in_manifests import IN_MANIFESTS

_CONTROLLER = Path(__file__).with_name("controller.toml")


def _in_controller() -> tuple[Fault, ...]:
    return tuple(
        Fault(name, each["what"], tuple(each["rows"]), edits=tuple(Edit(**edit) for edit in each["edits"]))
        for name, each in tomllib.loads(_CONTROLLER.read_text()).items()
    )


FAULTS: tuple[Fault, ...] = (*_in_controller(), *IN_MANIFESTS, *IN_GITOPS, *IN_HARNESS)


def by_name(name: str) -> Fault:
    """The fault of that name."""
    (fault,) = [each for each in FAULTS if each.name == name]
    return fault


def edits() -> tuple[Edit, ...]:
    """The changes of the controller for all faults: one binary has all, and at most one is switched on."""
    return tuple(edit for fault in FAULTS for edit in fault.edits)
