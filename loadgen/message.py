"""Makes the bytes of an HTTP request, and refuses requests that are not valid HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted

# Answers are asked for without compression: decoding them would only cost CPU time of this machine.
_HEADERS = {"user-agent": "firedamp", "accept-encoding": "identity"}
_METHODS_WITH_A_BODY = {"POST", "PUT", "PATCH"}
# These headers decide where a request and its answer end. With other values, a server could read one request
# as two or as none.
_OWN = {"content-length", "transfer-encoding", "upgrade"}
# https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 and, of a field's value, #section-5.5
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_TARGET = re.compile(r"/[\x21-\x7e]*")
# The first limit is what Envoy accepts for all headers together. Both limit what is sent with each request.
# https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
_LONGEST_HEAD = 60 << 10
_LONGEST_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """A request: its method, path and Host header, and all of it as the bytes that are sent."""

    method: str
    path: str
    host: str
    data: bytes


def to_message(method: str, path: str, host: str, headers: Mapping[str, str], body: str | None) -> Message:
    """Return a request. `headers` are added, and replace the default headers; they may not have a host.

    Raises:
        FiredampError: The method, the path, a header or the body is not valid HTTP, or is too long.
    """
    own_headers = {name.lower(): value for name, value in headers.items()}
    content = _content(body)
    problem = _problem(method, path, own_headers, host)
    if problem:
        message = f"HTTP cannot say {quoted(method)} {quoted(path)}: {problem}"
        raise FiredampError(message, hint="correct the Call, or the headers or the host of its Stream")
    method = method.upper()
    # https://www.rfc-editor.org/rfc/rfc9110#section-8.6
    length = {"content-length": str(len(content))} if content or method in _METHODS_WITH_A_BODY else {}
    fields = _HEADERS | length | own_headers | {"host": host}
    encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method=method, target=path, headers=encoded)
    parts = [connection.send(event) or b"" for event in (request, h11.Data(content), h11.EndOfMessage())]
    return Message(method, path, host, b"".join(parts))


def _content(body: str | None) -> bytes:
    try:
        content = (body or "").encode()
    except UnicodeEncodeError as error:
        message = f"the body of a request cannot be sent as UTF-8: {error.reason}"
        raise FiredampError(message, hint="correct the Call's body") from error
    if len(content) > _LONGEST_BODY:
        message = f"the body of a request has {len(content):,} bytes, and at most {_LONGEST_BODY:,} are sent"
        raise FiredampError(message, hint="send a shorter one")
    return content


def _problem(method: str, path: str, headers: Mapping[str, str], host: str) -> str:
    """Return why a request is not valid HTTP, or ""."""
    # The answer to CONNECT is a tunnel: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
    if not _TOKEN.fullmatch(method) or method.upper() == "CONNECT":
        return f"the method {quoted(method)} cannot be used"
    if not _TARGET.fullmatch(path):
        return "a path has no spaces and no other characters that must be percent-encoded"
    if "host" in headers:
        return f"its headers have a host {quoted(headers['host'])} besides that of its Stream, {quoted(host)}"
    fields = {**headers, "host": host}
    for name, value in fields.items():
        if problem := _header_problem(name, value):
            return problem
    head = len(path) + sum(len(name) + len(value) + 4 for name, value in fields.items())
    if head > _LONGEST_HEAD:
        return f"its path and headers have {head:,} bytes, and gateways take {_LONGEST_HEAD:,}"
    return ""


def _header_problem(name: str, value: str) -> str:
    is_host = name == "host"
    if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or (is_host and (not value or " " in value)):
        return f"a header cannot be {quoted(name)}: {quoted(value)}"
    return f"the load generator sets {name} itself" if name in _OWN else ""
