"""Fixtures and hooks for all tests with a cluster."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from e2e.browser import NAMES, find
from e2e.components import make, with_further
from e2e.harness.who_answered.checking import compared
from e2e.routers.each import FURTHER_ROUTERS
from e2e.types import StartGitOpsTrial, StartTrial
from fixtures.core.errors import FiredampError
from fixtures.environment.environment import Environment, Options, start
from fixtures.plugin.items import asks_for, chosen_provider, provider_of
from fixtures.plugin.needs_gitops import providers_asked_for_gitops
from fixtures.plugin.options import options_of
from fixtures.plugin.workers import phases_of
from fixtures.providers.catalog import options_classes, provisioner
from fixtures.providers.native import checks as node_checks
from fixtures.providers.options import ProviderOptions


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test with the session's cluster its provider and its router: one, or several in turn."""
    if metafunc.definition.get_closest_marker("every_router"):
        can = "routers" in options_classes()[chosen_provider(metafunc.config)].powers
        first = pytest.param("", id=pytest.HIDDEN_PARAM)
        metafunc.parametrize("router", [first, *(FURTHER_ROUTERS if can else ())], indirect=True)
    if "cluster_provider" not in metafunc.fixturenames:
        return
    marked, chosen = metafunc.definition.get_closest_marker, metafunc.config.getoption("--cluster-provider")
    kind = pytest.param("kind", id="kind")
    providers = [pytest.param(chosen_provider(metafunc.config), id=pytest.HIDDEN_PARAM)]
    if not chosen and marked("every_provider"):
        providers.append(kind)
    if not chosen and marked("several_nodes"):
        providers = [kind]
    metafunc.parametrize("cluster_provider", providers, indirect=True, scope="session")


# This hook runs after that of the root folder, which marks the tests that need a cluster.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a parallel run, give tests that share a slow fixture (a node, a rig, a registry) to one process.

    Also have the components made before any test that needs a cluster, but not for unit tests.
    """
    for item in items:
        names = getattr(item, "fixturenames", [])
        if item.get_closest_marker("e2e") and "components" not in names:
            names.insert(0, "components")
        if asks_for(item, "rig"):
            provider = provider_of(item)
            # Never two clusters of kind at the same time: the machine may lack the memory.
            item.add_marker(pytest.mark.xdist_group("kind" if provider == "kind" else f"rig {provider}"))
        elif shared := {"node", "registry"} & set(names):
            item.add_marker(pytest.mark.xdist_group(shared.pop()))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser."""
    program = find()
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return program


@pytest.fixture
def trial(trial: StartTrial) -> Iterator[StartTrial]:
    """The plugin's fixture; after the test, no answer may name another pod than the one that is recorded."""
    with compared(trial) as begin:
        yield begin


@pytest.fixture
def gitops_trial(gitops_trial: StartGitOpsTrial) -> Iterator[StartGitOpsTrial]:
    """The plugin's fixture, with the same check as for `trial`."""
    with compared(gitops_trial) as begin:
        yield begin


@pytest.fixture
def further(
    request: pytest.FixtureRequest,
    embedded_node: None,  # noqa: ARG001 - asked for what it refuses
    artifact_source: str,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Environment]:
    """A cluster of its own with another version of a component: the parameter, such as `istio=1.30.4`."""
    options = Options(name=f"further-{secrets.token_hex(3)}", artifacts=artifact_source)
    with capsys.disabled():
        running = start(with_further(options, str(request.param)))
    with running:
        yield running


@pytest.fixture(scope="session")
def cluster_provider(request: pytest.FixtureRequest) -> str:
    """The provider of a test. Tests on kind are skipped if it cannot run and nobody asked for it."""
    provider = str(request.param)
    if provider == "kind" and not request.config.getoption("--cluster-provider"):
        request.getfixturevalue("kind_nodes")
    return provider


@pytest.fixture(scope="session")
def kind_nodes(request: pytest.FixtureRequest, provider_options: tuple[ProviderOptions, ...]) -> None:
    """For tests of kind: they are skipped if kind cannot run here, unless it was asked for."""
    try:
        provisioner(Options(provider="kind", own=provider_options)).require_possible(
            phases_of(request.config)
        )
    except FiredampError as error:
        if request.config.getoption("--cluster-provider") == "kind":
            raise
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def embedded_node(request: pytest.FixtureRequest) -> None:
    """For tests of the embedded node: skipped if it cannot run and another provider was asked for."""
    try:
        node_checks.require_machine()
    except FiredampError as error:
        if request.config.getoption("--cluster-provider") in {None, "native"}:
            raise
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def cluster_nodes(pytestconfig: pytest.Config, cluster_provider: str) -> int:
    """The number of nodes: two on kind, so that one can be drained, unless another number was asked for."""
    is_given = pytestconfig.getoption("--cluster-nodes") is not None
    return options_of(pytestconfig).nodes if is_given or cluster_provider != "kind" else 2


@pytest.fixture(scope="session")
def components(
    request: pytest.FixtureRequest,
    provider_options: tuple[ProviderOptions, ...],
    artifact_source: str,
    component_versions: tuple[str, ...],
) -> None:
    """Makes all that the selected tests need before the first test, so that nothing is built during load."""
    provider, items = chosen_provider(request.config), request.session.items
    options = Options(
        provider=provider,
        own=provider_options,
        artifacts=artifact_source,
        versions=component_versions,
    )
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        make(
            options,
            items,
            gitops=provider in providers_asked_for_gitops(items),
            phases=phases_of(request.config),
        )
