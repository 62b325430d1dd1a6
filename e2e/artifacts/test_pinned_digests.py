"""`firedamp pin` asks a registry for the digest of an image; with it, another version is pulled by digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.artifacts.local_registry import LocalRegistry
from fixtures.addons.components import all_recipes
from fixtures.artifacts.asked_digests import ask_digests
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.digests import FILE, Digests
from fixtures.artifacts.mirror import mirror_at
from fixtures.artifacts.oci.image import Config, Image
from fixtures.artifacts.oci.layer import File, Layer
from fixtures.core.errors import FiredampError

_VERSION = "v1.8.5"


def test_the_digest_of_a_pinned_version_stays_when_its_tag_is_moved(registry: LocalRegistry) -> None:
    (image,) = all_recipes({"rollouts": _VERSION}).images_of("rollouts")
    with pytest.raises(FiredampError, match=f"no digest is known of {image}"):
        Digests().require([image])
    pushed = _push(registry, image, b"as released")
    asked = ask_digests([image, f"{image}-absent"], mirror_at(registry.url), _crane)
    assert asked.known == {image: pushed}
    assert asked.problems[f"{image}-absent"].endswith("does not have it")
    assert _push(registry, image, b"moved") != pushed
    assert Digests((FILE,), asked.known).by_digest(image) == f"{image}@{pushed}"


def _crane() -> Path:
    return Builder(all_recipes()).get("crane")["crane"] / "crane"


def _push(registry: LocalRegistry, image: str, content: bytes) -> str:
    layers = (Layer({"/rollouts-controller": File(content, 0o755)}),)
    return registry.push(Image(image, Config(entrypoint=("/rollouts-controller",)), layers))
