"""What every test with a cluster needs."""

from __future__ import annotations

import pytest

from fixtures.core.progress import Phases
from fixtures.environment import Options, prepare


@pytest.fixture(scope="session", autouse=True)
def components(
    request: pytest.FixtureRequest,
    artifact_source: str,
    component_versions: tuple[str, ...],
    with_gitops: bool,
) -> None:
    """The components, made before the first test asks, with progress for whoever waits for a first build."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        options = Options(artifacts=artifact_source, versions=component_versions, gitops=with_gitops)
        prepare(options, Phases())
