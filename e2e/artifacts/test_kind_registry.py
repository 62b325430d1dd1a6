"""`--artifacts=registry` on kind, and `--payments-image` of the provider existing, on a real registry."""

from __future__ import annotations

import secrets
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from e2e.artifacts.pulled import pulled_images
from e2e.artifacts.registry_container import PORT, RegistryContainer
from e2e.types import Report
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.digests import VARIABLE as DIGESTS
from fixtures.artifacts.mirror import VARIABLE
from fixtures.artifacts.recipes import ADDON_IMAGES, ARCHIVE
from fixtures.artifacts.registry import RegistrySource
from fixtures.conditions.conditions import aborted, promoted, weight_is
from fixtures.core.errors import FiredampError
from fixtures.core.progress import Phases
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment, Options, start
from fixtures.judge.verdicts import assert_no_errors
from fixtures.kube.client import Kube
from fixtures.kube.kinds import NAMESPACE, Kind
from fixtures.providers.existing.marks import RUN
from fixtures.providers.existing.options import Existing
from fixtures.providers.existing.sweep import sweep
from fixtures.providers.kind.archives import images_of
from fixtures.providers.kind.config import REGISTRIES
from fixtures.providers.kind.docker import Docker
from fixtures.providers.kind.local_registry import network
from fixtures.providers.kind.provider import KindCluster
from fixtures.providers.kind.rig import KindRig
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE

pytestmark = [pytest.mark.xdist_group("kind"), pytest.mark.usefixtures("kind_nodes")]

_GONE_SECONDS = 60
# What kind brings along in its node image.
_KINDS_OWN = ("pause", "coredns")


@pytest.fixture(scope="module")
def container(kind_nodes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryContainer]:
    """A registry that holds the add-ons' images below the names of their registries."""
    del kind_nodes
    made = Builder(all_recipes()).get("registry", "crane", ADDON_IMAGES)
    with RegistryContainer(
        tmp_path_factory.mktemp("container"),
        registry=made["registry"] / "registry",
        crane=made["crane"] / "crane",
    ) as running:
        pushed = running.push_under_their_names(made[ADDON_IMAGES] / ARCHIVE)
        file = tmp_path_factory.mktemp("digests") / "digests.toml"
        file.write_text("\n".join(["[images]", *(f'"{name}" = "{it}"' for name, it in pushed.items())]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(DIGESTS, str(file))
            yield running


@pytest.fixture
def mirror(container: RegistryContainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, container.url)


@pytest.fixture(scope="module")
def environment(container: RegistryContainer, pytestconfig: pytest.Config) -> Iterator[Environment]:
    """A kind cluster whose nodes pull; of which nothing may be left."""
    name = f"reg-{secrets.token_hex(3)}"
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with pytest.MonkeyPatch.context() as patch, capture.global_and_fixture_disabled():
        patch.setenv(VARIABLE, container.url)
        phases = Phases()
        source = RegistrySource(all_recipes(), phases=phases)
        # What stands in for Istio's proxy has upstream's name only, not its filters.
        source.upstream_images = False
        running = start(Options(provider="kind", name=name, artifacts="registry"), phases, source=source)
    with running:
        yield running
        assert KindRig().traces(name), "what looks for traces finds none of a cluster that is there"
    assert KindRig().traces(name) == []


@pytest.mark.usefixtures("mirror")
def test_a_registry_off_the_network_of_the_nodes_is_refused_with_what_puts_it_there(
    container: RegistryContainer,
) -> None:
    Docker().run("network", "disconnect", network(), container.name)
    options = Options(provider="kind", name=f"reg-{secrets.token_hex(3)}", artifacts="registry")
    with pytest.raises(FiredampError, match=f"container {container.name} .* not on the network") as caught:
        start(options)
    assert KindRig().traces(options.name) == []
    subprocess.run(shlex.split(caught.value.hint), check=True)
    networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    assert network() in Docker().run("inspect", "--format", networks, container.name).split()


def test_a_mirror_that_is_no_container_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9")
    options = Options(provider="kind", name=f"reg-{secrets.token_hex(3)}", artifacts="registry")
    with pytest.raises(FiredampError, match=r"port 9 of .* no container of docker publishes it"):
        start(options)
    assert KindRig().traces(options.name) == []


def test_the_nodes_pull_the_add_ons_and_a_bad_release_is_aborted(
    environment: Environment, container: RegistryContainer, tmp_path: Path, numbers: Report
) -> None:
    expected = {
        all_recipes().digests.by_digest(image)
        for image in all_recipes().pulled_images(gitops=False)
        if not any(own in image for own in _KINDS_OWN)
    }
    pulled = pulled_images(environment.kube, expected)
    with sample_trial(environment, "canary", tmp_path / "trial") as app, app.traffic():
        app.deploy("1.2-5xx")
        took = app.wait(aborted(version="1.2-5xx"), within=45)
        app.wait(weight_is(0), within=30)
    assert {image.partition("@")[0].rpartition(":")[0] for image in expected} <= container.asked_by_nodes
    numbers(
        deploy_to_aborted=f"{took:.1f} s",
        **{f"until {what}": f"{seconds:.1f} s" for what, seconds in environment.seconds.items()},
        **{f"pulled {image.rpartition('/')[2]}": pulled[image] for image in sorted(expected)},
    )


def test_an_existing_cluster_pulls_the_sample_api_under_the_name_that_the_user_gave_it(
    environment: Environment, container: RegistryContainer, tmp_path: Path, numbers: Report
) -> None:
    assert isinstance(environment.cluster, KindCluster)
    image = f"localhost:{container.port}/team/payments"
    (node,), archive = (
        environment.cluster.nodes,
        Builder(all_recipes()).get("payments-images")["payments-images"] / ARCHIVE,
    )
    container.push_as("team/payments", archive)
    _tell_node(node, container)
    _empty(environment)
    _forget(node, images_of(archive))
    context = yaml.safe_load(environment.cluster.kubeconfig.read_text())["current-context"]
    existing = Existing(str(environment.cluster.kubeconfig), context, payments_image=image)
    with start(Options(provider="existing", own=(existing,), artifacts="source")) as running:
        quick = combined(without_analysis, canary_steps(50, "3s"))
        with sample_trial(running, "canary", tmp_path / "trial", variant=quick) as app:
            with app.traffic():
                app.deploy("1.1")
                took = app.wait(promoted("1.1"), within=60)
            pulled = pulled_images(running.kube, {f"{image}:1.0", f"{image}:1.1"})
            answered = assert_no_errors(app.records(), stream=ACTIVE)
    assert "team/payments" in container.asked_by_nodes
    numbers(
        deploy_to_promoted=f"{took:.1f} s",
        failed_requests=f"0 of {answered:,}",
        **{f"pulled {each.rpartition('/')[2]}": pulled[each] for each in sorted(pulled) if image in each},
    )


def _tell_node(node: str, container: RegistryContainer) -> None:
    """What that registry is to a node, as https://kind.sigs.k8s.io/docs/user/local-registry/ has it."""
    folder = f"{REGISTRIES}/localhost:{container.port}"
    script = f"mkdir -p {folder} && cat > {folder}/hosts.toml"
    text = f'[host."http://{container.name}:{PORT}"]\n'
    Docker().run("exec", "--interactive", node, "sh", "-c", script, stdin=text)


def _empty(environment: Environment) -> None:
    """Remove the stack from a cluster: the provider existing refuses one that has it."""
    kube, run = environment.kube, f"stack-{secrets.token_hex(3)}"
    for each in environment.stack.objects():
        metadata = each["metadata"]
        labels = {"metadata": {"labels": {RUN: run}}}
        kube.patch(Kind.of(each), metadata["name"], metadata.get("namespace"), labels)
    sweep(kube, run)
    until(lambda: _no_trial(kube), what="end of the trials", timeout=_GONE_SECONDS)


def _forget(node: str, images: Mapping[str, str]) -> None:
    """Remove images from a node with all that they consist of, to which ids and imports refer as well."""
    ctr = ("exec", node, "ctr", "--namespace=k8s.io", "images")
    listed = [line.split() for line in Docker().run(*ctr, "list").splitlines()]
    names = [each[0] for each in listed if each[2] in images.values() or each[0].startswith("import-")]
    assert len(names) > len(images), listed
    Docker().run(*ctr, "remove", "--sync", *names)


def _no_trial(kube: Kube) -> None:
    namespaces, _ = kube.list(NAMESPACE, selector="firedamp.dev/trial")
    if namespaces:
        raise PendingError(", ".join(each["metadata"]["name"] for each in namespaces))
