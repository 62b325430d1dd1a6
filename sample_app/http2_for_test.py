"""A client of HTTP/2 and gRPC for tests of the stand-in."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    TrailersReceived,
)
from hyperframe.frame import Frame, GoAwayFrame

_HEAD = 9


@dataclass
class Reply:
    """What came on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)


class Http2Client:
    """A connection of HTTP/2 without TLS, as gRPC's clients and proxies make it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._http = H2Connection(H2Configuration(header_encoding="utf-8"))
        self._http.initiate_connection()
        self.is_told_to_leave = False
        self._rest = b""
        # In two parts, as a slow network may bring it.
        first = self._http.data_to_send()
        self._socket.sendall(first[:10])
        self._socket.sendall(first[10:])

    def begin(self, path: str, body: bytes = b"", **headers: str) -> int:
        stream = self._http.get_next_available_stream_id()
        head = [
            (":method", "POST" if body else "GET"),
            (":path", path),
            (":scheme", "http"),
            (":authority", "a"),
        ]
        extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self._http.send_headers(stream, [*head, *extra], end_stream=not body)
        if body:
            self._http.send_data(stream, body, end_stream=True)
        self._socket.sendall(self._http.data_to_send())
        return stream

    def replies(self, *streams: int) -> dict[int, Reply]:
        replies = {stream: Reply() for stream in streams}
        waiting = set(streams)
        while waiting:
            for event in self._events():
                match event:
                    case ResponseReceived(stream_id=int(stream), headers=headers):
                        replies[stream].headers = {str(k): str(v) for k, v in headers or ()}
                    case TrailersReceived(stream_id=int(stream), headers=headers):
                        replies[stream].trailers = {str(k): str(v) for k, v in headers or ()}
                    case DataReceived(stream_id=int(stream), data=data):
                        replies[stream].body += data or b""
                        self._http.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                    case StreamEnded(stream_id=int(stream)):
                        waiting.discard(stream)
            self._socket.sendall(self._http.data_to_send())
        return replies

    def get(self, path: str, body: bytes = b"", **headers: str) -> Reply:
        stream = self.begin(path, body, **headers)
        return self.replies(stream)[stream]

    def health(self, service: str = "") -> Reply:
        name = service.encode()
        message = b"\x0a" + bytes([len(name)]) + name if name else b""
        body = bytes([0, 0, 0, 0, len(message)]) + message
        return self.get("/grpc.health.v1.Health/Check", body, content_type="application/grpc", te="trailers")

    def _events(self) -> list[Event]:
        data = self._socket.recv(65536)
        if not data:
            raise AssertionError("the stand-in closed the connection")
        return self._http.receive_data(self._without_goodbye(data))

    def _without_goodbye(self, data: bytes) -> bytes:
        """The data without a frame GOAWAY, after which the library would take no more answers."""
        self._rest += data
        kept = b""
        while len(self._rest) >= _HEAD:
            frame, length = Frame.parse_frame_header(memoryview(self._rest[:_HEAD]))
            if len(self._rest) < _HEAD + length:
                break
            whole, self._rest = self._rest[: _HEAD + length], self._rest[_HEAD + length :]
            if isinstance(frame, GoAwayFrame):
                self.is_told_to_leave = True
            else:
                kept += whole
        return kept

    def closed(self) -> bool:
        # What the server had not read when it closed the connection makes the kernel reset it.
        with suppress(ConnectionResetError):
            while self._socket.recv(65536):
                pass
        return True

    def close(self) -> None:
        self._socket.close()
