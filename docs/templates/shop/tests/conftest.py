"""What all tests of this project have in common."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def component_versions() -> tuple[str, ...]:
    """The versions that run in production; `firedamp build --help` says how others are made."""
    return ("rollouts=v1.10.2",)
