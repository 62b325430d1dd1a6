"""Runs test files as their author would, in a pytest session of their own, on the cluster of the session."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from fixtures.environment.environment import Environment

# Plugins that would change the process that both runs share: its timer, its handlers of faults.
_NOT_TWICE = ("timeout", "faulthandler", "cacheprovider", "xdist", "locust")


class RunTests(Protocol):
    """The type of the fixture `run_tests`."""

    def __call__(self, file: Path) -> str:
        """Run a test file and return what pytest printed."""


def run_pytest(file: Path, environment: Environment, output: Path) -> None:
    """Run a test file in this process, in a pytest session of its own; the results go to `output`."""
    settings = file.parent / "pytest.ini"
    settings.write_text("[pytest]\n")
    without = [word for name in _NOT_TWICE for word in ("-p", f"no:{name}")]
    options = ["-c", str(settings), f"--firedamp-output={output}", *without]
    pytest.main([str(file), *options], plugins=[_Shared(environment)])


class _Shared:
    """A pytest plugin that gives tests a cluster that is running already."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the fixture after those of Firedamp's own plugin, so that it takes their place."""
        config.pluginmanager.register(_fixtures(self._environment))


def _fixtures(environment: Environment) -> ModuleType:
    @pytest.fixture(scope="session", name="environment")
    def shared() -> Environment:
        """The cluster of the session, which is neither started nor stopped here."""
        return environment

    module = ModuleType("shared_environment")
    module.__dict__["shared"] = shared
    return module
