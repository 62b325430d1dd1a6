"""Fixtures for tests of operations."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.operations.kubectl_plugin import Plugin
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.environment.environment import Environment


@pytest.fixture(scope="session")
def plugin_binary() -> Path:
    return Builder(all_recipes()).get("rollouts-plugin")["rollouts-plugin"] / "kubectl-argo-rollouts"


@pytest.fixture(scope="session")
def kubectl_binary() -> Path:
    """Kubernetes' own client, built from its pinned source."""
    return Builder(all_recipes()).get("kubectl")["kubectl"] / "kubectl"


@pytest.fixture
def plugin(plugin_binary: Path, environment: Environment, tmp_path: Path) -> Plugin:
    """The kubectl plugin, built from the pinned source of the controller, on the session's cluster."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    return Plugin(plugin_binary, environment.cluster.kubeconfig, folder)
