"""Secrets of one cluster: what they are while it lives, and where any of them is when it should be gone."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fixtures.providers.native.traces import Trace

# Where files of any user may come to lie; a victim's home folder is its own, and among these.
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")
# Of others who run tests meanwhile.
_NOT_OURS = re.compile(r"pytest-of-.*")
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?P<body>[^-]+)-----END")
# Fields of a kubeconfig whose value lets one in.
_FIELDS = re.compile(rb"^\s*(?:client-key-data|token|password):\s*\"?(?P<value>[^\s\"]{12,})", re.MULTILINE)
_NAMED = re.compile(r"password|secret|token")
_LEAST, _MOST = 8, 400
# Of a key's text, so that lines and encodings of another width do not matter.
_PART = 40
# No file of secrets, timeline or log is larger.
_LARGEST = 16 << 20


def secrets_in(folder: Path) -> frozenset[bytes]:
    """Texts that only the keys, kubeconfigs and passwords in a folder hold, and no other file."""
    found: set[bytes] = set()
    for path in _files(folder):
        content = _content(path)
        if _NAMED.search(Path(path).name) and _LEAST <= len(content.strip()) <= _MOST:
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
    places = (*_PLACES, *map(str, also))
    changed = {path for place in places for path in _files(place, since)}
    return [Trace("secret", path) for path in sorted(changed) if wanted.search(_content(path))]


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


def _files(folder: str | Path, since: float = 0.0) -> Iterator[str]:
    """The files in a folder, at any depth, that were changed after a time and are not too large."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not _NOT_OURS.fullmatch(entry.name):
                yield from _files(entry.path, since)
        elif entry.is_file(follow_symlinks=False) and _is_recent(entry, since):
            yield entry.path


def _is_recent(entry: os.DirEntry[str], since: float) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return max(found.st_ctime, found.st_mtime) >= since and found.st_size <= _LARGEST


def _content(path: str | Path) -> bytes:
    """What is in a file; nothing if it has gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(_LARGEST)
        except OSError:
            return b""
