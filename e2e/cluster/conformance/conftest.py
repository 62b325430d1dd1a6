"""Fixtures: each provider in turn, a running cluster of it, and a home folder that must not be changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.cluster.conformance.workload import Workload
from fixtures.core.paths import cache_root
from fixtures.kube.provider import ClusterProvider
from fixtures.providers.names import provider_names
from fixtures.providers.rig import Rig, rig_class

NewName = Callable[[], str]
_PRECIOUS = "precious: true\n"


@pytest.fixture(scope="package", params=provider_names())
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A provider that this machine can run."""
    provider_rig = rig_class(request.param)
    if missing := provider_rig.missing():
        pytest.skip(f"{request.param} cannot run here: {missing}")
    with provider_rig.ready() as rig:
        yield rig


@pytest.fixture(scope="package")
def elsewhere(rig: Rig) -> Iterator[Rig]:
    """The same provider, for clusters that run beside that of the session."""
    with type(rig).ready() as another:
        yield another


@pytest.fixture(scope="package")
def kubeconfigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The kubeconfigs of a user, in the home folder and where KUBECONFIG points."""
    home = tmp_path_factory.mktemp("home")
    files = [home / ".kube" / "config", home / "elsewhere"]
    files[0].parent.mkdir()
    for file in files:
        file.write_text(_PRECIOUS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_root().parent))
        patch.setenv("DOCKER_CONFIG", str(Path.home() / ".docker"))
        patch.setenv("HOME", str(home))
        patch.setenv("KUBECONFIG", str(files[1]))
        yield files
    assert [file.read_text() for file in files] == [_PRECIOUS] * len(files)
    assert {path for path in home.rglob("*") if path.is_file()} == set(files)


@pytest.fixture(scope="package")
def cluster(rig: Rig, kubeconfigs: list[Path]) -> Iterator[ClusterProvider]:
    """A running cluster."""
    assert kubeconfigs
    cluster = rig.cluster(f"cf-{secrets.token_hex(3)}")
    try:
        cluster.start()
        cluster.wait_ready()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="package")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """The sample API in an image with a new name, which no node has."""
    return Workload.make(tmp_path_factory.mktemp("image"), secrets.token_hex(3))


@pytest.fixture(scope="package")
def running(rig: Rig, cluster: ClusterProvider, workload: Workload) -> Workload:
    """The sample API, serving in the cluster."""
    rig.bring(workload.archive, cluster)
    workload.run(cluster.kube)
    return workload


@pytest.fixture
def new_name(elsewhere: Rig) -> Iterator[NewName]:
    """A function that gives names for clusters; nothing of these clusters may be left at the end."""
    names: list[str] = []

    def new() -> str:
        names.append(f"cf-{secrets.token_hex(3)}")
        return names[-1]

    yield new
    assert [trace for name in names for trace in elsewhere.traces(name)] == []
