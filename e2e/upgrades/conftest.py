"""Clusters of a test's own that begin with an older version of one component."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from e2e.components import OLDER_ROLLOUTS
from fixtures.environment.environment import Environment, Options, start


@pytest.fixture
def older(
    embedded_node: None,  # noqa: ARG001 - asked for what it refuses
    artifact_source: str,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Environment]:
    """A cluster with the Argo Rollouts before the pinned one."""
    versions = (f"rollouts={OLDER_ROLLOUTS}",)
    options = Options(name=f"up-{secrets.token_hex(3)}", artifacts=artifact_source, versions=versions)
    with capsys.disabled():
        running = start(options)
    with running:
        yield running
