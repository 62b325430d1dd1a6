"""Reads what a server sends in answer to one request, up to the end of the final answer.

The parser is llhttp, the parser of Node.js. It refuses what two readers could understand in two ways, such as
`Transfer-Encoding` together with `Content-Length`: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
"""

from __future__ import annotations

import httptools

from fixtures.core.told_by_gateway import FLAGS_HEADER, UPSTREAM_HEADER
from loadgen.flags import NO_FLAG
from loadgen.ledger import Answer

# The limit for all headers together, including those of interim answers (status 1xx).
_MOST_HEADER_BYTES = 65_536
_LEAST_STATUS, _FINAL_STATUS = 100, 200
_WITHOUT_BODY = (204, 304)
_LENGTH, _ENCODING, _VERSION, _POD = b"content-length", b"transfer-encoding", b"x-version", b"x-pod"
# The gateway adds these: see `fixtures.addons.istio.answered`.
_NOWHERE = "-"
_UPSTREAM, _FLAGS = UPSTREAM_HEADER.encode(), FLAGS_HEADER.encode()
_WANTED = frozenset((_LENGTH, _ENCODING, _VERSION, _POD, _UPSTREAM, _FLAGS))


class UnreadableError(Exception):
    """What the server sent is not a valid HTTP answer."""


class Reading:
    """The answer to one request, as far as it has been read. The parser calls the methods `on_…`.

    Attributes:
        status: Status of the final answer once all of its headers have been read; 0 until then.
        is_complete: Whether the final answer has ended.
    """

    def __init__(self, method: str) -> None:
        """Prepare to read the answer to one request with this HTTP method."""
        self.status = 0
        self.is_complete = False
        self._is_head = method == "HEAD"
        self._head: dict[bytes, bytes] = {}
        self._size = 0
        self._until_close = self._has_more = self._is_kept = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse the next bytes that the server sent.

        Raises:
            UnreadableError: The bytes are not the rest of an answer.
        """
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._has_more = True
            # Invalid bytes after a complete answer do not make that answer invalid.
            if not self.is_complete:
                raise UnreadableError(_why(error)) from error
        if not self.status and self._size > _MOST_HEADER_BYTES:
            raise UnreadableError(f"headers of more than {_MOST_HEADER_BYTES:,} bytes")

    def end(self) -> None:
        """Note that the server has closed the connection.

        Raises:
            UnreadableError: The answer was not complete.
        """
        if not self._size:
            raise UnreadableError("connection closed without an answer")
        if not self._until_close:
            raise UnreadableError("connection closed within the answer")
        self.is_complete = True

    def answer(self, error: str | None) -> Answer:
        """Return what the final answer says; a header that is missing or empty is None.

        Args:
            error: Why there was no complete answer; None if there was one.
        """
        if not self.status:
            return Answer(error=error)
        upstream, flags = self._header(_UPSTREAM), self._header(_FLAGS)
        if upstream == _NOWHERE:
            upstream = None
        if flags == NO_FLAG and upstream is not None:
            flags = None
        return Answer(self.status, self._header(_VERSION), self._header(_POD), error, upstream, flags)

    @property
    def is_reusable(self) -> bool:
        """Whether the connection can be used for another request; not if anything came after the answer."""
        return self.is_complete and not self._has_more and self._is_kept

    def on_message_begin(self) -> None:
        """Another answer begins."""
        self._has_more = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has been read, or a trailer; trailers come after the status and are ignored."""
        key = name.lower()
        if key in _WANTED and not self.status:
            earlier = self._head.get(key)
            self._head[key] = value if earlier is None else earlier + b", " + value

    def on_headers_complete(self) -> None:
        """All headers of an answer have been read; it may be an interim answer."""
        if self.is_complete:
            return
        status = self._parser.get_status_code()
        if status < _LEAST_STATUS:
            raise UnreadableError(f"{status:03} is not a status")
        if status < _FINAL_STATUS:
            self._head.clear()
            return
        encoding = self._head.get(_ENCODING)
        if encoding is not None and encoding.strip().lower() != b"chunked":
            raise UnreadableError(f"unknown transfer encoding {encoding.decode('latin-1')}")
        self.status = status
        self.is_complete = self._is_head
        # This is also false for an answer whose end is the end of the connection.
        self._is_kept = self._parser.should_keep_alive()
        self._until_close = encoding is None and _LENGTH not in self._head and status not in _WITHOUT_BODY

    def on_body(self, data: bytes) -> None:
        """A part of a body has been read; its content is not used."""
        self._has_more = self.is_complete or self._has_more
        del data

    def on_message_complete(self) -> None:
        """The parser has reached the end of an answer; an interim answer does not count."""
        self.is_complete = self.status > 0

    def _header(self, key: bytes) -> str | None:
        value = self._head.get(key)
        return value.strip().decode("latin-1") or None if value is not None else None


def _why(error: Exception) -> str:
    """Return why the parser, or a method that it called, refused the bytes."""
    if isinstance(error, httptools.HttpParserUpgrade):
        return "upgrade to a protocol that nobody asked for"
    return f"not HTTP: {error.__context__ or error}"
