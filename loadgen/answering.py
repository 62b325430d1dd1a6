"""What a server sends in answer to one request, up to the end of its final answer.

The parser is llhttp, that of Node.js. It refuses what two readers could understand in two ways, such as
`Transfer-Encoding` beside `Content-Length`: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
"""

from __future__ import annotations

import httptools

# Of all headers, those of interim answers included.
_MOST_HEADER_BYTES = 65_536
_LEAST_STATUS, _FINAL_STATUS = 100, 200
_WITHOUT_BODY = (204, 304)
_LENGTH, _ENCODING, _VERSION, _POD = b"content-length", b"transfer-encoding", b"x-version", b"x-pod"
_WANTED = frozenset((_LENGTH, _ENCODING, _VERSION, _POD))


class UnreadableError(Exception):
    """What the server sent is no answer."""


class Reading:
    """The answer to one request as far as it has been read; its methods `on_…` are the parser's to call.

    Attributes:
        status: Status of the final answer once all of its headers are there; 0 until then.
        is_complete: Whether the final answer has ended.
    """

    def __init__(self, method: str) -> None:
        """Read the answer to one request of this method, and to none that follows."""
        self.status = 0
        self.is_complete = False
        self._is_head = method == "HEAD"
        self._head: dict[bytes, bytes] = {}
        self._size = 0
        self._until_close = self._has_more = self._is_kept = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take in what the server sent next.

        Raises:
            UnreadableError: It is not the rest of an answer.
        """
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._has_more = True
            # What comes after a complete answer does not make it any less complete.
            if not self.is_complete:
                raise UnreadableError(_why(error)) from error
        if not self.status and self._size > _MOST_HEADER_BYTES:
            raise UnreadableError(f"headers of more than {_MOST_HEADER_BYTES:,} bytes")

    def end(self) -> None:
        """Take in that the server has closed the connection.

        Raises:
            UnreadableError: The answer was not complete.
        """
        if not self._size:
            raise UnreadableError("connection closed without an answer")
        if not self._until_close:
            raise UnreadableError("connection closed within the answer")
        self.is_complete = True

    @property
    def version(self) -> str | None:
        """The final answer's `x-version`; None without one, or if it is empty."""
        return self._named(_VERSION)

    @property
    def pod(self) -> str | None:
        """The final answer's `x-pod`; None without one, or if it is empty."""
        return self._named(_POD)

    @property
    def is_reusable(self) -> bool:
        """Whether the connection can take another request: nothing may have come after the answer."""
        return self.is_complete and not self._has_more and self._is_kept

    def on_message_begin(self) -> None:
        """Another answer begins."""
        self._has_more = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has been read, or a trailer, which tells nothing of what is looked for."""
        key = name.lower()
        if key in _WANTED and not self.status:
            known = self._head.get(key)
            self._head[key] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        """The headers of an answer have been read, which may be an interim one."""
        if self.is_complete:
            return
        status = self._parser.get_status_code()
        if status < _LEAST_STATUS:
            raise UnreadableError(f"{status:03} is no status")
        if status < _FINAL_STATUS:
            self._head.clear()
            return
        encoding = self._head.get(_ENCODING)
        if encoding is not None and encoding.strip().lower() != b"chunked":
            raise UnreadableError(f"unknown transfer encoding {encoding.decode('latin-1')}")
        self.status = status
        self.is_complete = self._is_head
        # False also of an answer that ends with its connection.
        self._is_kept = self._parser.should_keep_alive()
        self._until_close = encoding is None and _LENGTH not in self._head and status not in _WITHOUT_BODY

    def on_body(self, data: bytes) -> None:
        """A part of a body has been read; what it says is of no interest."""
        self._has_more = self.is_complete or self._has_more
        del data

    def on_message_complete(self) -> None:
        """An answer has ended."""
        self.is_complete = self.status > 0

    def _named(self, key: bytes) -> str | None:
        return self._head.get(key, b"").strip().decode("latin-1") or None if self.status else None


def _why(error: Exception) -> str:
    """Return what the parser, or a method that it called, did not like."""
    if isinstance(error, httptools.HttpParserUpgrade):
        return "upgrade to a protocol that nobody asked for"
    return f"not HTTP: {error.__context__ or error}"
