"""The folder of one dockerd: claimed, and removed by the next one if its keeper was killed."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from pathlib import Path

from fixtures.core.errors import FiredampError
from fixtures.core.locks import is_locked, locked
from fixtures.core.paths import cache_root, private_folder
from fixtures.providers.native import cgroups

# What sun_path of unix(7) holds.
_LONGEST_SOCKET = 107
_NAME = re.compile(r"[0-9a-f]{6}")
_SECONDS = 10


def choose() -> Path:
    """A new name below the cache, because that is where there is room.

    Raises:
        FiredampError: The path is too long for a socket.
    """
    folder = cache_root() / "docker" / secrets.token_hex(3)
    if len(str(docker_socket(folder))) > _LONGEST_SOCKET:
        raise FiredampError(f"{folder} is too long for a socket", hint="set XDG_CACHE_HOME to a shorter path")
    return folder


def docker_socket(folder: Path) -> Path:
    """Where dockerd listens."""
    return folder / "docker.sock"


def cgroup(folder: Path) -> str:
    """The cgroup of all containers."""
    return f"firedamp-docker-{folder.name}"


def claim(folder: Path) -> int:
    """Make the folder, and remove those whose keeper was killed.

    Returns:
        A file descriptor: the folder is claimed as long as it is open.
    """
    with locked(folder.parent.with_name("docker.lock")):
        for other in private_folder(folder.parent).iterdir():
            if _is_ours(other) and not is_locked(other):
                cgroups.remove(cgroup(other), within=_SECONDS)
                shutil.rmtree(other)
        descriptor = os.open(private_folder(folder), os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _is_ours(path: Path) -> bool:
    """Whether an entry can be the folder of a dockerd; whatever else lies there is left alone."""
    return bool(_NAME.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()
