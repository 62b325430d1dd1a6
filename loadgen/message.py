"""A request as it goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h11

from fixtures.core.errors import FiredampError

# No compression: decoding would cost this machine's CPU and prove nothing.
_HEADERS = {"user-agent": "firedamp", "accept-encoding": "identity"}
_METHODS_WITH_A_BODY = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True)
class Message:
    """A request, and its bytes."""

    method: str
    path: str
    host: str
    data: bytes


def to_message(method: str, path: str, host: str, headers: Mapping[str, str], body: str | None) -> Message:
    """Return a request; `host` and `headers` replace what all requests have.

    Raises:
        FiredampError: HTTP has no such method, path or header.
    """
    method = method.upper()
    content = (body or "").encode()
    # https://www.rfc-editor.org/rfc/rfc9110#section-8.6
    length = {"content-length": str(len(content))} if content or method in _METHODS_WITH_A_BODY else {}
    given = {name.lower(): value for name, value in headers.items()}
    fields = _HEADERS | length | given | {"host": host}
    connection = h11.Connection(h11.CLIENT)
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
        request = h11.Request(method=method, target=path, headers=encoded)
        parts = [connection.send(each) or b"" for each in (request, h11.Data(content), h11.EndOfMessage())]
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        raise FiredampError(f"HTTP cannot say {method} {path}: {error}") from error
    return Message(method, path, host, b"".join(parts))
