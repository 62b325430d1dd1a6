"""Stand-ins for the upstream images that carry the node's binaries: our builds where upstream has its."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fixtures.artifacts.images import PinnedImage
from fixtures.artifacts.oci.closure import closure
from fixtures.artifacts.oci.image import Config, Image
from fixtures.artifacts.oci.layer import Contents, Entry, File, Layer

# From these artifacts; they have every file that images.toml names.
NEEDS = ("kubernetes", "etcd", "containerd", "runc", "cni", "iptables")
_FOLDER = f"usr/lib/{platform.machine()}-linux-gnu"


def stand_in(image: PinnedImage, made: Mapping[str, Path]) -> Image:
    """An image of the same name, without its digest: a file wherever one is wanted, and one that is not."""
    contents: dict[str, Entry] = {"/etc/os-release": File(b"NAME=stand-in\n")}
    for path, target in image.files.items():
        if target.startswith("iptables/"):
            contents |= _iptables(made["iptables"])
        else:
            artifact, *_, program = PurePosixPath(image.target_of(path, path)).parts
            contents[f"/{path}"] = File(made[artifact] / program, 0o755)
    name = image.reference.partition("@")[0]
    return Image(name, Config(entrypoint=("/stand-in",)), (Layer(contents),))


def _iptables(root: Path) -> Contents:
    """Debian's iptables as Debian lays it out, with the C library of this machine."""
    program = root / "usr" / "sbin" / "xtables-nft-multi"
    folder = root / _FOLDER
    extensions = sorted((folder / "xtables").glob("*.so"))
    libraries = closure(program, *extensions, search=[folder])
    return {
        "/usr/sbin/xtables-nft-multi": File(program, 0o755),
        **{f"/{_FOLDER}/xtables/{extension.name}": File(extension) for extension in extensions},
        **{f"/{_FOLDER}/{Path(path).name}": File(library, 0o755) for path, library in libraries.items()},
    }
