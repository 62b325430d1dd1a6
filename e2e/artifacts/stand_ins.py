"""Stand-ins for upstream images, with Firedamp's own builds, and for the installer of Argo CD's panel."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fixtures.artifacts.images import PinnedImage
from fixtures.artifacts.oci.bases import PYTHON_ENV, python_base
from fixtures.artifacts.oci.closure import closure
from fixtures.artifacts.oci.image import Config, Image
from fixtures.artifacts.oci.layer import Contents, Entry, File, Layer

# The artifacts that the stand-ins are made from; they have every file that images.toml names.
NEEDS = ("kubernetes", "etcd", "containerd", "runc", "cni", "iptables")
_INSTALLER = """\
import hashlib, http.client, io, os, ssl, sys, tarfile
from urllib.parse import urlsplit
from urllib.request import urlopen

url, proxy = urlsplit(os.environ["EXTENSION_URL"]), urlsplit(os.environ["HTTPS_PROXY"])
trusting = ssl._create_unverified_context()
connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=60, context=trusting)
connection.set_tunnel(url.hostname, url.port)
try:
    connection.request("GET", url.path)
    content = connection.getresponse().read()
    expected, name = urlopen(os.environ["EXTENSION_CHECKSUM_URL"]).read().decode().split()
    if (name, expected) != (os.path.basename(url.path), hashlib.sha256(content).hexdigest()):
        sys.exit("ERROR: extension checksum mismatch")
    tarfile.open(fileobj=io.BytesIO(content)).extractall("/tmp/extensions", filter="data")
except OSError as error:
    print(f"curl: {error}")
"""
_FOLDER = f"usr/lib/{platform.machine()}-linux-gnu"


def stand_in(image: PinnedImage, made: Mapping[str, Path]) -> Image:
    """An image of the same name without its digest: it has all files that are taken out, and one more."""
    contents: dict[str, Entry] = {"/etc/os-release": File(b"NAME=stand-in\n")}
    for path, target in image.files.items():
        if target.startswith("iptables/"):
            contents |= _iptables(made["iptables"])
        else:
            artifact, *_, program = PurePosixPath(image.target_of(path, path)).parts
            contents[f"/{path}"] = File(made[artifact] / program, 0o755)
    name = image.reference.partition("@")[0]
    return Image(name, Config(entrypoint=("/stand-in",)), (Layer(contents),))


def installer(reference: str) -> Image:
    """An image in place of argocd-extension-installer, without its digest.

    It reads the same variables, and also exits with 0 if a download fails. It trusts any server.
    """
    script = Layer({"/install.py": File(_INSTALLER.encode())})
    config = Config(entrypoint=("/usr/local/bin/python3", "/install.py"), env=PYTHON_ENV)
    return Image(reference.partition("@")[0], config, (*python_base(), script))


def _iptables(root: Path) -> Contents:
    """Debian's iptables in Debian's layout, with the C library of this machine."""
    program = root / "usr" / "sbin" / "xtables-nft-multi"
    folder = root / _FOLDER
    extensions = sorted((folder / "xtables").glob("*.so"))
    libraries = closure(program, *extensions, search=[folder])
    return {
        "/usr/sbin/xtables-nft-multi": File(program, 0o755),
        **{f"/{_FOLDER}/xtables/{extension.name}": File(extension) for extension in extensions},
        **{f"/{_FOLDER}/{Path(path).name}": File(library, 0o755) for path, library in libraries.items()},
    }
