"""Docker out of Debian's packages, unpacked into the cache and never installed."""

from __future__ import annotations

import os
from pathlib import Path

from fixtures.artifacts import debian, host
from fixtures.artifacts.cache import Cache, digest

# libdevmapper and libseccomp, because a small system may lack them.
_PACKAGES = ("docker.io", "containerd", "runc", "libdevmapper1.02.1", "libseccomp2")
# What a user of Docker needs in PATH, and nothing that would hide a program of this machine.
_CLIENT = Path("client")


def docker_programs(cache: Cache) -> Path:
    """Return the folder into which Docker, what it runs, and iptables were unpacked.

    Raises:
        FiredampError: The packages are not to be had.
    """
    return cache.get("docker", digest(Path(__file__), Path(debian.__file__), host.system()), _make)


def client_folder(programs: Path) -> Path:
    """The folder that holds the command `docker` alone."""
    return programs / _CLIENT


def environment(programs: Path) -> dict[str, str]:
    """PATH and the places of libraries with which the daemon finds what belongs to it."""
    libraries = next((programs / "usr" / "lib").glob("*-linux-gnu"))
    return {
        "PATH": f"{programs}/usr/bin:{programs}/usr/sbin:{os.defpath}:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": str(libraries),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
    }


def _make(target: Path) -> None:
    debian.unpack_iptables(target)
    debian.unpack(_PACKAGES, target)
    (target / _CLIENT).mkdir()
    (target / _CLIENT / "docker").symlink_to("../usr/bin/docker")
