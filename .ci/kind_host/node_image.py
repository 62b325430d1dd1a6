"""The image of kind's nodes: Debian's root file system, kind's own files, and the pinned components.

It follows images/base/Dockerfile of sigs.k8s.io/kind, and what `kind build node-image` adds to that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from fixtures.artifacts import golang, store
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.cache import digest
from fixtures.artifacts.oci.image import Config, Image, write_archive
from fixtures.artifacts.oci.layer import Contents, Directory, Entry, File, Layer, Symlink, TarLayer
from fixtures.artifacts.pins import pin
from fixtures.artifacts.recipes import PAUSE_TAG
from fixtures.core.errors import FiredampError
from fixtures.core.process import run
from kind_host import control_plane, root

ARCHIVE = "node.tar"
NEEDS = ("containerd", "runc", "cni", "kubectl", *control_plane.NEEDS)
_OURS = Path(__file__).with_name("node")
_SOURCES = (Path(__file__), Path(control_plane.__file__), Path(store.__file__), _OURS)
_UNITS = "/etc/systemd/system"
_SERVICES = ("containerd", "kubelet", "undo-mount-hacks", "keep-host-settings")
_SECONDS = 120


def name() -> str:
    """The name of the image."""
    return f"firedamp.dev/kind-node:{pin('kubernetes').version}"


def node_image(builder: Builder) -> Path:
    """Return the archive with the image, for `docker load`, making it if it is not there.

    Raises:
        FiredampError: Something that it is made of cannot be had.
    """
    made = builder.get(*NEEDS)
    base = root.root_file_system(builder.cache)

    def make(target: Path) -> None:
        layers = (
            TarLayer(base / root.ARCHIVE),
            Layer(_contents(made, _kinds_files())),
            TarLayer(_image_store(made, target)),
        )
        config = Config(
            entrypoint=("/usr/local/bin/entrypoint", "/sbin/init"),
            env={"container": "docker"},
            stop_signal="SIGRTMIN+3",  # systemd(1)
        )
        write_archive([Image(name(), config, layers)], target / ARCHIVE)
        for path in target.iterdir():
            if path.name != ARCHIVE:
                path.unlink()

    inputs = [*_SOURCES, base.name, pin("kind").version, *(builder.key(need) for need in NEEDS)]
    return builder.cache.get("kind-node", digest(*inputs), make) / ARCHIVE


def _kinds_files() -> Path:
    return golang.module_folder(pin("kind")) / "images" / "base" / "files"


def _contents(made: Mapping[str, Path], kinds: Path) -> Contents:
    return {
        **_copied(kinds),
        **_programs(made),
        **_settings(kinds, run([made["containerd"] / "ctr", "oci", "spec"], timeout=10)),
        **_services(),
        "/kind/version": File(f"{pin('kubernetes').version}\n".encode()),
        "/kind/manifests/default-cni.yaml": File(_OURS / "default-cni.yaml"),
        "/kind/manifests/default-storage.yaml": File(_OURS / "default-storage.yaml"),
        "/etc/kubernetes/manifests": Directory(),
        "/etc/cni/net.d": Directory(),
    }


def _copied(kinds: Path) -> dict[str, Entry]:
    """What kind's Dockerfile copies; all in a folder `bin` are programs."""
    return {
        f"/{path.relative_to(kinds)}": File(path, 0o755 if path.parent.name == "bin" else 0o644)
        for top in ("etc", "kind", "usr")
        for path in sorted((kinds / top).rglob("*"))
        if path.is_file()
    }


def _programs(made: Mapping[str, Path]) -> dict[str, Entry]:
    places = {
        "/usr/local/bin": [made["containerd"] / each for each in pin("containerd").binaries],
        "/usr/local/sbin": [made["runc"] / "runc"],
        "/opt/cni/bin": [made["cni"] / each for each in pin("cni").binaries],
        "/usr/bin": [made[need] / need for need in ("kubeadm", "kubectl")] + [made["kubernetes"] / "kubelet"],
        "/kind/bin": [_OURS / "pod-network", _OURS / "keep-host-settings"],
    }
    return {f"{place}/{file.name}": File(file, 0o755) for place, files in places.items() for file in files}


def _settings(kinds: Path, spec: str) -> dict[str, Entry]:
    """Kind's settings, changed so that a node also runs with cgroup v1 and without CAP_SYS_RESOURCE."""
    drop_ins = "/etc/kubernetes/kubelet.conf.d"
    kubelet = (kinds / "etc" / "default" / "kubelet").read_text().rstrip()
    texts = {
        "/etc/containerd/config.toml": _containerd(
            (kinds / "etc" / "containerd" / "config.toml").read_text()
        ),
        "/etc/containerd/cri-base.json": _base_spec(spec),
        "/etc/default/kubelet": f"{kubelet} --config-dir={drop_ins}\n",
    }
    return {
        f"{drop_ins}/10-cgroup-v1.conf": File(_OURS / "kubelet.yaml"),
        **{path: File(text.encode()) for path, text in texts.items()},
    }


def _containerd(text: str) -> str:
    """Kind's configuration, with the pause image of this Kubernetes.

    containerd itself may not be protected from the out-of-memory killer; then nothing that it starts may be,
    either. Where it may, the setting changes nothing.
    """
    for old, new in (
        ("registry.k8s.io/pause:3.10", f"registry.k8s.io/pause:{PAUSE_TAG}"),
        ("restrict_oom_score_adj = false", "restrict_oom_score_adj = true"),
    ):
        if old not in text:
            raise FiredampError(f"kind's containerd configuration says {old!r} no more")
        text = text.replace(old, new)
    return text


def _base_spec(text: str) -> str:
    """What every container starts from, as in kind's Dockerfile: with its hook, without limits."""
    spec = json.loads(text)
    spec["hooks"] = {"createContainer": [{"path": "/kind/bin/mount-product-files.sh"}]}
    del spec["process"]["rlimits"]
    return json.dumps(spec)


def _services() -> dict[str, Entry]:
    """Those that kind's Dockerfile enables, one of ours, and the one that it masks."""
    wants = f"{_UNITS}/multi-user.target.wants"
    return {
        **{f"{wants}/{each}.service": Symlink(f"{_UNITS}/{each}.service") for each in _SERVICES},
        f"{_UNITS}/keep-host-settings.service": File(_OURS / "keep-host-settings.service"),
        # It would change the host: kernel settings of binary formats have no namespace.
        f"{_UNITS}/systemd-binfmt.service": Symlink("/dev/null"),
    }


def _image_store(made: Mapping[str, Path], target: Path) -> Path:
    """The images of the control plane, unpacked where the node's containerd finds them, as a tar file."""
    archive, out = target / "images.tar", target / "store.tar"
    write_archive(control_plane.control_plane_images(made), archive)
    tree = target / "tree"
    containerd = tree / "var" / "lib" / "containerd"
    containerd.mkdir(parents=True)
    # In the image these are folders that there are already, and get the mode that they have here.
    for folder in (containerd.parents[1], containerd.parent, containerd):
        folder.chmod(0o755)
    store.unpack([archive], containerd, containerd=made["containerd"], keep_layers=False)
    run(["tar", "--xattrs", "--directory", tree, "--create", "--file", out, "var"], timeout=_SECONDS)
    shutil.rmtree(tree)
    return out
