"""What a planted fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.mutations.controller import Edit
from e2e.types import Variant


@dataclass(frozen=True)
class Fault:
    """One fault, and who has to notice.

    Attributes:
        name: In lower case, words joined by hyphens.
        what: What is wrong, as a sentence would say it.
        rows: The tests, by node id, each of which has to fail.
        edits: What is changed in the controller; each asks `planted(name)`.
        manifests: What is changed in the manifests of each trial.
        harness: What is changed in the harness.
    """

    name: str
    what: str
    rows: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    manifests: Variant | None = None
    harness: Callable[[pytest.MonkeyPatch], None] | None = None

    @property
    def where(self) -> str:
        """In which part it is planted."""
        if self.edits:
            return "controller"
        return "manifests" if self.manifests else "harness"
