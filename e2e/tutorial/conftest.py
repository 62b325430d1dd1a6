from __future__ import annotations

from pathlib import Path

import pytest

from e2e.tutorial.running import RunTests, run_pytest
from fixtures.environment.environment import Environment


@pytest.fixture
def run_tests(environment: Environment, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> RunTests:
    """A function that runs a test file by pytest, and returns what it printed."""

    def run(file: Path) -> str:
        run_pytest(file, environment, tmp_path / "firedamp-out")
        return capfd.readouterr().out

    return run
