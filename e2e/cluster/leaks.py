"""Secrets of one cluster: what they are while it lives, and where any of them is when it should be gone."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fixtures.cluster.native.traces import Trace
from fixtures.core.paths import cache_root

# Where files of this user may come to lie; in the cache only what is not content-addressed, because all
# that is was there before any cluster.
_PLACES = (
    "/tmp", "/var/tmp", "/dev/shm", "/run", "/var/run", "/root", "/home",  # noqa: S108 - only looked at
)  # fmt: skip
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?P<body>[^-]+)-----END")
# Fields of a kubeconfig whose value lets one in.
_FIELDS = re.compile(rb"^\s*(?:client-key-data|token|password):\s*\"?(?P<value>[^\s\"]{12,})", re.MULTILINE)
_NAMED = re.compile(r"password|secret|token")
_LEAST, _MOST = 8, 400
# Of a key's text, so that lines and encodings of another width do not matter.
_PART = 40
_LARGEST = 64 << 20


def secrets_in(folder: Path) -> frozenset[bytes]:
    """Texts that only the keys, kubeconfigs and passwords in a folder hold, and no other file."""
    found: set[bytes] = set()
    for path in _files(folder):
        content = _content(path)
        if _NAMED.search(path.name) and _LEAST <= len(content.strip()) <= _MOST:
            found.add(content.strip())
        found |= {match["value"] for match in _FIELDS.finditer(content)}
        for match in _PRIVATE_KEY.finditer(content):
            found |= _parts(match["body"], match[0])
    return frozenset(found)


def exposed(secrets: Iterable[bytes]) -> list[Trace]:
    """The processes whose arguments, which every user may read, hold one of these secrets."""
    wanted = _pattern(secrets)
    return [
        Trace("exposed secret", f"{path.parent.name} arguments")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if wanted and wanted.search(_content(path))
    ]


def left(secrets: Iterable[bytes], since: float, *, also: Iterable[Path] = ()) -> list[Trace]:
    """The files that hold one of these secrets.

    Args:
        secrets: As `secrets_in` has them.
        since: Files that were not changed after this time, in seconds since the epoch, are not read.
        also: Folders besides those where files of this user may come to lie.
    """
    wanted = _pattern(secrets)
    if wanted is None:
        return []
    return [
        Trace("secret", str(path))
        for path in sorted({path for folder in (*map(Path, _PLACES), *also) for path in _files(folder)})
        if _changed(path) >= since and wanted.search(_content(path))
    ]


def _parts(body: bytes, whole: bytes) -> set[bytes]:
    """A key's text as it is in PEM, and as it is in a kubeconfig that embeds the PEM."""
    line = max(body.split(), key=len)
    middle = len(whole) // 2
    # Of three ways in which a part may lie in base64, the text of any is the same but for its ends.
    embedded = {base64.b64encode(whole)[4 * middle // 3 :][:_PART]}
    return {line[-_PART:], *embedded}


def _pattern(secrets: Iterable[bytes]) -> re.Pattern[bytes] | None:
    alternatives = b"|".join(re.escape(secret) for secret in sorted(secrets))
    return re.compile(alternatives) if alternatives else None


def _files(folder: Path) -> Iterator[Path]:
    cached = {cache_root() / "artifacts", cache_root() / "go", cache_root() / "apt"}
    for where, below, files in os.walk(folder):
        below[:] = [name for name in below if Path(where, name) not in cached]
        yield from (Path(where, name) for name in files)


def _changed(path: Path) -> float:
    try:
        found = path.lstat()
    except OSError:
        return 0.0
    return max(found.st_ctime, found.st_mtime)


def _content(path: Path) -> bytes:
    """What is in a file; nothing if it is none, is none any more, or is larger than any file of secrets."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(_LARGEST)
        except OSError:
            return b""
