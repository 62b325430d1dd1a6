"""What every test with a cluster needs."""

from __future__ import annotations

import pytest

from fixtures.core.errors import FiredampError
from fixtures.core.progress import Phases
from fixtures.environment import Options, prepare, provisioner
from fixtures.plugin import gitops_providers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test with the session's cluster its provider; those that are marked so get kind, too."""
    if "cluster_provider" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--cluster-provider")
    providers = [pytest.param(chosen or "native", id=pytest.HIDDEN_PARAM)]
    if not chosen and metafunc.definition.get_closest_marker("every_provider"):
        providers.append(pytest.param("kind", id="kind"))
    metafunc.parametrize("cluster_provider", providers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster_provider(request: pytest.FixtureRequest, kind_image: str) -> str:
    """The provider that a test was given; where nobody asked for kind, it is left out if it cannot run."""
    provider = str(request.param)
    if provider == "kind" and not request.config.getoption("--cluster-provider"):
        try:
            provisioner(Options(provider=provider, kind_image=kind_image)).require_possible(Phases())
        except FiredampError as error:
            pytest.skip(error.message)
    return provider


@pytest.fixture(scope="session", autouse=True)
def components(
    request: pytest.FixtureRequest, kind_image: str, artifact_source: str, component_versions: tuple[str, ...]
) -> None:
    """The components, made before the first test asks, with progress for whoever waits for a first build."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    provider = request.config.getoption("--cluster-provider") or "native"
    options = Options(
        provider=provider,
        kind_image=kind_image,
        artifacts=artifact_source,
        versions=component_versions,
        gitops=provider in gitops_providers(request.config),
    )
    with capture.global_and_fixture_disabled():
        prepare(options, Phases())
