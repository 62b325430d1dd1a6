"""Collects the secrets of a running cluster, and finds where any of them still is after its end."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fixtures.providers.native.traces import Trace

# Folders where files of any user may be. The home folder of a victim is below one of them.
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")
# Folders of other test runs on this machine.
_NOT_OURS = re.compile(r"pytest-of-.*")
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?P<body>[^-]+)-----END")
# Fields of a kubeconfig that hold a credential.
_FIELDS = re.compile(rb"^\s*(?:client-key-data|token|password):\s*\"?(?P<value>[^\s\"]{12,})", re.MULTILINE)
_NAMED = re.compile(r"password|secret|token")
_LEAST, _MOST = 8, 400
# How many characters of a key are searched for: few enough to lie in one line, however wide lines are.
_PART = 40
# In bytes. No file of secrets, timeline or log is larger; larger files are not read.
_LARGEST = 16 << 20


def secrets_in(folder: Path) -> frozenset[bytes]:
    """The secret texts in a folder's keys, kubeconfigs and password files, which no other file may have."""
    secrets: set[bytes] = set()
    for path in _files(folder):
        content = _content(path)
        if _NAMED.search(Path(path).name) and _LEAST <= len(content.strip()) <= _MOST:
            secrets.add(content.strip())
        secrets |= {match["value"] for match in _FIELDS.finditer(content)}
        for match in _PRIVATE_KEY.finditer(content):
            secrets |= _parts(match["body"], match[0])
    return frozenset(secrets)


def exposed(secrets: Iterable[bytes]) -> list[Trace]:
    """The processes with one of these secrets in their arguments, which every user may read."""
    pattern = _pattern(secrets)
    return [
        Trace("exposed secret", f"{path.parent.name} arguments")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if pattern and pattern.search(_content(path))
    ]


def left(secrets: Iterable[bytes], since: float, *, also: Iterable[Path] = ()) -> list[Trace]:
    """The files that hold one of these secrets.

    Args:
        secrets: The secrets, from `secrets_in`.
        since: Only files that were changed after this time are read, in seconds since the epoch.
        also: Further folders to search.
    """
    pattern = _pattern(secrets)
    if pattern is None:
        return []
    places = (*_PLACES, *map(str, also))
    changed = {path for place in places for path in _files(place, since)}
    return [Trace("secret", path) for path in sorted(changed) if pattern.search(_content(path))]


def _parts(body: bytes, whole: bytes) -> set[bytes]:
    """Parts of a key's text: as it is in PEM, and as it is in a kubeconfig that embeds the PEM in base64."""
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
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return max(status.st_ctime, status.st_mtime) >= since and status.st_size <= _LARGEST


def _content(path: str | Path) -> bytes:
    """The content of a file; empty if it is gone or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(_LARGEST)
        except OSError:
            return b""
