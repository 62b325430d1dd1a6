"""What a planted fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.mutations.controller import Edit
from e2e.types import Variant


@dataclass(frozen=True)
class Fault:
    """One planted fault, and the tests that have to notice it.

    Attributes:
        name: Its name, in lower case, with hyphens between words.
        what: What is wrong, as a sentence.
        rows: The node ids of the tests, each of which has to fail.
        edits: The changes of the controller; each asks `planted(name)`.
        manifests: The change of the manifests of each trial.
        harness: The change of the harness.
    """

    name: str
    what: str
    rows: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    manifests: Variant | None = None
    harness: Callable[[pytest.MonkeyPatch], None] | None = None

    @property
    def where(self) -> str:
        """The part in which it is planted: controller, manifests or harness."""
        if self.edits:
            return "controller"
        return "manifests" if self.manifests else "harness"
