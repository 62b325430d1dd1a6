"""The images that kubeadm starts a cluster with, from the pinned components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fixtures.artifacts.oci import catalog
from fixtures.artifacts.oci.bases import minimal_base
from fixtures.artifacts.oci.image import Config, Image
from fixtures.artifacts.oci.iptables import iptables
from fixtures.artifacts.oci.layer import Contents, Directory, File, Layer, Symlink
from fixtures.artifacts.pins import pin
from fixtures.artifacts.recipes import PAUSE_TAG
from fixtures.core.errors import FiredampError
from fixtures.core.process import run

NEEDS = ("kubernetes", "kubeadm", "etcd", "coredns", "pause", "iptables")
_REGISTRY = "registry.k8s.io"
_POD_NETWORK = "firedamp.dev/pod-network:1"


def control_plane_images(made: Mapping[str, Path]) -> list[Image]:
    """The images that kubeadm asks for, under its names, and the one of default-cni.yaml.

    CoreDNS and etcd are those that Firedamp pins, whatever tag kubeadm asks for.

    Raises:
        FiredampError: kubeadm asks for an image that is not known here.
    """
    version = pin("kubernetes").version
    kubeadm = made["kubeadm"] / "kubeadm"
    asked = run([kubeadm, "config", "images", "list", "--kubernetes-version", version], timeout=30)
    return [*(_image(name, made) for name in asked.split()), _pod_network()]


def _image(name: str, made: Mapping[str, Path]) -> Image:
    repository, _, tag = name.partition(":")
    program = repository.rpartition("/")[2]
    if program == "pause":
        if tag != PAUSE_TAG:
            raise FiredampError(f"kubeadm asks for {name}, but the pause container is {PAUSE_TAG}")
        return catalog.pause(tag, binary=made["pause"] / "pause")
    if program == "coredns":
        return catalog.coredns(tag, binary=made["coredns"] / "coredns")
    folder = made["etcd" if program == "etcd" else "kubernetes"]
    if not (folder / program).is_file():
        raise FiredampError(f"kubeadm asks for {name}, which is not among the components")
    path = f"/usr/local/bin/{program}"
    tools = (Layer(iptables(made["iptables"])),) if program == "kube-proxy" else ()
    layers = (minimal_base(), *tools, Layer({path: File(folder / program, 0o755)}))
    return Image(name, Config(entrypoint=(path,)), layers)


def _pod_network() -> Image:
    """Links only: what they lead to is mounted from the node."""
    links: Contents = {f"/{name}": Symlink(f"usr/{name}") for name in ("bin", "lib", "lib64", "sbin")}
    folders: Contents = {
        path: Directory() for path in ("/usr", "/etc/alternatives", "/etc/cni/net.d", "/kind/bin")
    }
    config = Config(entrypoint=("/kind/bin/pod-network",))
    return Image(_POD_NETWORK, config, (Layer({**links, **folders}),))
