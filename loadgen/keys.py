"""The key by which a harness and its workers on other machines know each other.

It is one file, on each of the machines: a private key with its own certificate. Each side of a connection
presents the certificate, and takes no other one. So who does not have the file can neither have a load sent
nor take a part of one.
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

from fixtures.core.documents.file import described, read_text
from fixtures.core.errors import FiredampError
from fixtures.core.folders import absolute, user_path
from fixtures.core.pki import shared_key

_WHAT = "key of a load"


def key_path(text: str, what: str = "load_key") -> Path:
    """Return the path of a key, as a user wrote it in the setting `what`."""
    return absolute(user_path(text, what), what)


def make_key(path: Path) -> None:
    """Make a new key.

    Raises:
        FiredampError: The file cannot be written, or is there already.
    """
    try:
        shared_key(path, "firedamp load")
    except OSError as error:
        message = f"{described(path, _WHAT)} cannot be made: {error.strerror}"
        raise FiredampError(message, hint="name a new file in a folder that is there") from error


def trusting_only(path: Path, *, is_server: bool) -> ssl.SSLContext:
    """Return what makes connections to those who have the same key, and to nobody else.

    Args:
        path: The key.
        is_server: Whether it is for the side that listens.

    Raises:
        FiredampError: The file is no such key, or somebody else could have read or written it.
    """
    read_text(path, _WHAT)
    status = path.stat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        hint = f"make it yours alone (chmod 600 {path}), or make a new one with `firedamp load key FILE`"
        raise FiredampError(f"{described(path, _WHAT)} can be read or written by others", hint=hint)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The certificate says who it is; at which address does not matter.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(path)
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        hint = "`firedamp load key FILE` makes one; copy it as it is"
        raise FiredampError(f"{described(path, _WHAT)} has no key with its certificate", hint=hint) from error
    return context
