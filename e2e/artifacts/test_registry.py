"""`--artifacts=registry` on a real registry: nothing of the node is built, and it pulls what it runs."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from e2e.artifacts.local_registry import LocalRegistry
from e2e.artifacts.panel_server import SCRIPT, serving_a_panel
from e2e.artifacts.pulled import pulled_images
from e2e.artifacts.stand_ins import NEEDS as STAND_IN_NEEDS
from e2e.artifacts.stand_ins import installer, stand_in
from e2e.components import OLDER_ROLLOUTS
from e2e.types import Report
from fixtures.addons import rollouts
from fixtures.addons.argocd.images import EXTENSION_INSTALLER
from fixtures.addons.argocd.panel import Panel
from fixtures.addons.components import all_recipes
from fixtures.addons.rollouts.image import ROLLOUTS
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.cache import Cache
from fixtures.artifacts.digests import VARIABLE as DIGESTS
from fixtures.artifacts.images import PinnedImage, pinned_images
from fixtures.artifacts.mirror import VARIABLE
from fixtures.artifacts.oci.image import Config, Image
from fixtures.artifacts.oci.layer import File, Layer
from fixtures.artifacts.recipes import ADDON_IMAGES, Recipes
from fixtures.artifacts.registry import RegistrySource
from fixtures.artifacts.source import choose
from fixtures.core import loopback
from fixtures.core.errors import FiredampError
from fixtures.core.progress import Phases
from fixtures.environment.environment import Environment, Options, start
from fixtures.kube.client import pods_of
from fixtures.providers import clusters
from fixtures.providers.catalog import provisioner
from fixtures.providers.native.provider import NativeCluster

pytestmark = pytest.mark.usefixtures("embedded_node")


@pytest.fixture(scope="module")
def digests(registry: LocalRegistry) -> Mapping[str, str]:
    """Puts all images that a start needs into the registry; returns their digests by name.

    Then each tag is moved to an image that nothing runs with.
    """
    made = Builder(all_recipes()).get(*STAND_IN_NEEDS, *all_recipes()[ADDON_IMAGES].needs)
    images = [*_made_images(ADDON_IMAGES, made), *(stand_in(image, made) for image in pinned_images())]
    return _push(registry, images)


@pytest.fixture(autouse=True)
def pinned(digests: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user does whose images are of other digests than upstream's, or of digests not known."""
    _pin(digests, tmp_path / "digests.toml", monkeypatch)


@pytest.fixture(autouse=True)
def mirror(registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, registry.url)


def test_a_first_start_pulls_everything_whatever_the_tags_say_by_now(
    folder: Path, numbers: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    name, phases, began = f"reg-{secrets.token_hex(3)}", Phases(), time.monotonic()
    pulling, named = _pulling(folder / "cache", phases), all_recipes().pulled_images(gitops=False)
    with capsys.disabled():
        source = choose("registry", _needs(), all_recipes(), phases, registry=pulling)
        with start(Options(name=name, artifacts="registry"), phases, source=source) as environment:
            ready = time.monotonic() - began
            # The sandbox image is containerd's affair, of which kubelet sees nothing.
            by_kubelet = {
                all_recipes().digests.by_digest(image)
                for image in all_recipes().pulled_images(gitops=False)
                if "pause" not in image
            }
            pulled = pulled_images(environment.kube, by_kubelet)
            present = _present(environment, source.get("containerd")["containerd"] / "ctr")
            executables = _executables(environment)
    assert set(map(_untagged, named)) <= present
    assert executables
    assert all(path.is_relative_to(folder / "cache") for path in executables), executables
    assert name not in {each.layout.name for each in clusters.survey().clusters}
    numbers(
        first_start_with_an_empty_cache=f"{ready:.1f} s until the stack was ready",
        **{f"pulled {image.rpartition('/')[2]}": text for image, text in sorted(pulled.items())},
    )


def test_argo_cd_is_pulled_where_it_is_asked_for(
    registry: LocalRegistry,
    digests: Mapping[str, str],
    folder: Path,
    tmp_path: Path,
    numbers: Report,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Builder(all_recipes()).get(*all_recipes()["argocd-images"].needs)
    pulled_only = installer(EXTENSION_INSTALLER.reference(all_recipes().pins))
    further = _push(registry, [pulled_only, *_made_images("argocd-images", made)])
    _pin({**digests, **further}, tmp_path / "further.toml", monkeypatch)
    phases = Phases()
    pulling = _pulling(folder / "cache", phases)
    options = Options(name=f"reg-{secrets.token_hex(3)}", artifacts="registry", gitops=True)
    with serving_a_panel(folder / "panel") as (url, sha256), capsys.disabled():

        def served_here(proxy: str, **_: str) -> Panel:
            return Panel(proxy, url=url, hosts=(urlsplit(url).netloc,), sha256=sha256)

        monkeypatch.setattr("fixtures.addons.argocd.panel.Panel", served_here)
        with start(options, phases, source=pulling) as environment:
            pulled = pulled_images(environment.kube, set(map(all_recipes().digests.by_digest, _of_gitops())))
            assert environment.gitops
            argocd = environment.gitops.argocd
            served = loopback.get(f"{argocd.url}/extensions.js", verify=str(argocd.ca_file), timeout=30).text
    assert SCRIPT in served
    assert not any("firedamp.dev" in image for image in pulled)
    took = environment.seconds["stack ready"]
    numbers(gitops_with_images_pulled=f"{took:.1f} s until the stack was ready")


def test_another_version_of_an_add_on_is_pulled_by_its_own_digest(
    registry: LocalRegistry,
    digests: Mapping[str, str],
    folder: Path,
    tmp_path: Path,
    numbers: Report,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    further = all_recipes().at({"rollouts": OLDER_ROLLOUTS})
    made = Builder(further).get(*further[ADDON_IMAGES].needs)
    (archive,) = [each for each in further.archives if each.name == ADDON_IMAGES]
    older = ROLLOUTS.reference(further.pins)
    pushed = _push(registry, [each for each in archive.made_images(further.pins, made) if each.name == older])
    _pin({**digests, **pushed}, tmp_path / "further.toml", monkeypatch)
    version, phases = f"rollouts={OLDER_ROLLOUTS}", Phases()
    options = Options(name=f"reg-{secrets.token_hex(3)}", artifacts="registry", versions=(version,))
    pulling = _pulling(folder / "cache", phases, further)
    with capsys.disabled(), start(options, phases, source=pulling) as environment:
        (pod,) = pods_of(environment.kube, rollouts.NAMESPACE, "")
        (container,) = pod["spec"]["containers"]
        log = environment.kube.logs(pod["metadata"]["name"], rollouts.NAMESPACE, container["name"])
    assert container["image"].partition("@")[2] == pushed[older]
    assert OLDER_ROLLOUTS in log[:500]
    numbers(stack_with_another_version=f"{environment.seconds['stack ready']:.1f} s until it was ready")


def test_what_was_tampered_with_is_not_used(registry: LocalRegistry, folder: Path) -> None:
    image = next(image for image in pinned_images() if image.name == "etcd")
    blob = max(_blobs(registry, image), key=lambda path: path.stat().st_size)
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    builder = Builder(all_recipes())
    source = RegistrySource(builder.recipes, Cache(folder / "second"), builder=builder)
    with pytest.raises(FiredampError, match="sent something else than its digest says"):
        source.get("etcd")
    assert source.missing("etcd") == ["etcd"]


def test_what_is_not_there_is_named_before_anything_is_pulled(folder: Path) -> None:
    first, *others = pinned_images()
    absent = dataclasses.replace(first, reference=f"registry.k8s.io/kube-apiserver:v0.0.0@sha256:{'0' * 64}")
    source = RegistrySource(
        all_recipes(), Cache(folder / "third"), builder=Builder(all_recipes()), images=[absent, *others]
    )
    with pytest.raises(FiredampError, match=r"v0\.0\.0@sha256:0+: 127\.0\.0\.1:\d+ does not have it"):
        source.get(*_needs())
    assert not (folder / "third").exists()


def _push(registry: LocalRegistry, images: Sequence[Image]) -> dict[str, str]:
    pushed = {image.name: registry.push(image) for image in images}
    for name in pushed:
        registry.push(Image(name, Config(entrypoint=("/moved",)), (Layer({"/moved": File(b"")}),)))
    return pushed


def _pin(digests: Mapping[str, str], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'"{name}" = "{digest}"' for name, digest in digests.items()]
    file.write_text("\n".join(["[images]", *lines]))
    monkeypatch.setenv(DIGESTS, str(file))


def _untagged(image: str) -> str:
    """How containerd names an image that was pulled by digest."""
    name, _, digest = all_recipes().digests.by_digest(image).partition("@")
    return f"{name.rpartition(':')[0]}@{digest}"


def _needs() -> tuple[str, ...]:
    return provisioner(Options()).needs


def _made_images(name: str, made: Mapping[str, Path]) -> list[Image]:
    """The images of one of our archives, made from the folders of what it needs."""
    recipes = all_recipes()
    (archive,) = [each for each in recipes.archives if each.name == name]
    return archive.made_images(recipes.pins, made)


def _of_gitops() -> set[str]:
    """The images that nodes pull for GitOps alone."""
    recipes = all_recipes()
    return {*recipes.pulled_images(gitops=True)} - {*recipes.pulled_images(gitops=False)}


def _pulling(cache: Path, phases: Phases, recipes: Recipes | None = None) -> RegistrySource:
    recipes = recipes or all_recipes()
    source = RegistrySource(recipes, Cache(cache), phases, builder=Builder(recipes, phases=phases))
    # What stands in for Istio's proxy has upstream's name only, not its filters.
    source.upstream_images = False
    return source


def _present(environment: Environment, ctr: Path) -> set[str]:
    assert isinstance(environment.cluster, NativeCluster)
    return set(environment.cluster.inside([ctr, "-n", "k8s.io", "images", "ls", "-q"], timeout=60).split())


def _executables(environment: Environment) -> list[Path]:
    plan = json.loads((environment.cluster.kubeconfig.parent / "boot.json").read_text())
    return [Path(component["command"][0]) for component in plan["components"]]


def _blobs(registry: LocalRegistry, image: PinnedImage) -> list[Path]:
    """The layers and the configuration of an image, as the registry keeps them."""
    manifest = loopback.get(_manifest_url(registry, image), timeout=30).json()
    digests = [each["digest"].partition(":")[2] for each in (*manifest["layers"], manifest["config"])]
    blobs = registry.data / "docker" / "registry" / "v2" / "blobs" / "sha256"
    return [blobs / digest[:2] / digest / "data" for digest in digests]


def _manifest_url(registry: LocalRegistry, image: PinnedImage) -> str:
    name, _, digest = all_recipes().digests.by_digest(image.reference).partition("@")
    return f"{registry.url}/v2/{name.rpartition(':')[0]}/manifests/{digest}"
