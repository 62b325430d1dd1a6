from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fixtures.artifacts.oci.layer import Contents
from fixtures.artifacts.recipes import PAUSE_TAG
from fixtures.core.errors import FiredampError
from kind_host import control_plane

Components = Callable[..., Mapping[str, Path]]


@pytest.fixture
def components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Components:
    """The components, as empty files, and a kubeadm that asks for certain images."""
    monkeypatch.setattr(control_plane, "iptables", lambda _: dict[str, Contents]())
    monkeypatch.setattr("fixtures.artifacts.oci.catalog.closure", lambda _: dict[str, Path]())

    def make(*names: str) -> Mapping[str, Path]:
        made = {need: tmp_path / need for need in control_plane.NEEDS}
        for folder in made.values():
            folder.mkdir()
        for file in ("kubernetes/kube-apiserver", "kubernetes/kube-proxy", "etcd/etcd", "coredns/coredns"):
            (tmp_path / file).touch()
        (tmp_path / "pause" / "pause").touch()
        asked = "\n".join(names)
        (tmp_path / "kubeadm" / "kubeadm").write_text(f"#!/bin/sh\ncat <<END\n{asked}\nEND\n")
        (tmp_path / "kubeadm" / "kubeadm").chmod(0o755)
        return made

    return make


def test_there_is_an_image_under_each_name_that_kubeadm_asks_for(components: Components) -> None:
    names = [
        "registry.k8s.io/kube-apiserver:v9",
        "registry.k8s.io/kube-proxy:v9",
        "registry.k8s.io/coredns/coredns:v8",
        f"registry.k8s.io/pause:{PAUSE_TAG}",
        "registry.k8s.io/etcd:7",
    ]
    images = control_plane.control_plane_images(components(*names))
    assert [image.name for image in images] == [*names, "firedamp.dev/pod-network:1"]
    starts = {image.name: json.loads(image.document)["config"]["Entrypoint"][0] for image in images}
    assert starts["registry.k8s.io/etcd:7"] == "/usr/local/bin/etcd"
    assert starts["registry.k8s.io/coredns/coredns:v8"] == "/coredns"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("registry.k8s.io/kube-dns:v9", "kube-dns:v9, which is not among the components"),
        ("registry.k8s.io/pause:0.1", f"pause:0.1, but the pause container is {PAUSE_TAG}"),
    ],
)
def test_an_image_that_is_not_known_is_named(components: Components, name: str, said: str) -> None:
    with pytest.raises(FiredampError, match=said):
        control_plane.control_plane_images(components(name))
