"""HTTP/2 for a stand-in: one connection, its streams, and its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame
from uvicorn.server import ServerState

from .app import Answer, App, Call

if TYPE_CHECKING:
    import uvicorn

# The body is of interest in health checks alone, which are short.
_MOST_BODY = 1024
_LAST_STREAM = 2**31 - 1


class Http2Protocol(asyncio.Protocol):
    """A connection. Each request is answered by a task, so that a slow one delays no other."""

    def __init__(self, config: uvicorn.Config, server_state: ServerState) -> None:
        self._app = cast("App", config.app)
        self._state = server_state
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._calls: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._is_leaving = self._is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._port: int = self._transport.get_extra_info("sockname")[1]
        # uvicorn knows its own protocols only, but calls nothing else than `shutdown`.
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._http.initiate_connection()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End what is being answered: nobody waits for it."""
        self._state.connections.discard(self)
        for task in self._answering.values():
            task.cancel()

    def shutdown(self) -> None:
        """Close the connection once all its requests are answered."""
        self._leave()
        self._is_closing = True
        if not self._answering:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        try:
            events = self._http.receive_data(data)
        except ProtocolError:
            self._flush()  # the reason, for the client
            self._transport.close()
            return
        for event in events:
            self._take(event)
        self._room.set()
        self._flush()

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                self._calls[stream] = ({str(k): str(v) for k, v in event.headers or ()}, bytearray())
            case DataReceived(stream_id=int(stream)):
                _, body = self._calls[stream]
                body += (event.data or b"")[: _MOST_BODY - len(body)]
                self._http.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case StreamEnded(stream_id=int(stream)):
                self._begin(stream)
            case StreamReset(stream_id=int(stream)):
                self._calls.pop(stream, None)
                if task := self._answering.get(stream):
                    task.cancel()

    def _begin(self, stream: int) -> None:
        headers, body = self._calls.pop(stream)
        call = Call(
            port=self._port,
            method=headers[":method"],
            path=headers[":path"].partition("?")[0],
            agent=headers.get("user-agent", ""),
            is_grpc=headers.get("content-type", "").startswith("application/grpc"),
            body=bytes(body),
        )
        task = asyncio.get_running_loop().create_task(self._answer(stream, call))
        self._answering[stream] = task
        self._state.tasks.add(task)
        task.add_done_callback(lambda done: self._ended(stream, done))

    def _ended(self, stream: int, task: asyncio.Task[None]) -> None:
        del self._answering[stream]
        self._state.tasks.discard(task)
        if self._is_closing and not self._answering:
            self._transport.close()

    async def _answer(self, stream: int, call: Call) -> None:
        answer = await self._app.answer(call)
        if self._app.draining():
            self._leave()
        body = b"" if call.method == "HEAD" else answer.body
        self._http.send_headers(stream, _head(answer), end_stream=not body and answer.grpc is None)
        while body:
            part, body = body[: (room := await self._room_for(stream))], body[room:]
            self._http.send_data(stream, part, end_stream=not body and answer.grpc is None)
        if answer.grpc is not None:
            self._http.send_headers(stream, [("grpc-status", str(answer.grpc))], end_stream=True)
        self._flush()

    async def _room_for(self, stream: int) -> int:
        """How many bytes the client takes now; waits while it takes none."""
        while not (window := self._http.local_flow_control_window(stream)):
            self._flush()
            self._room.clear()
            await self._room.wait()
        return min(window, self._http.max_outbound_frame_size)

    def _leave(self) -> None:
        """Tell the client, once, to send nothing more on this connection.

        Not by the library, whose own way ends the requests that are being answered:
        https://www.rfc-editor.org/rfc/rfc9113.html#name-goaway
        """
        if not self._is_leaving:
            self._is_leaving = True
            self._transport.write(GoAwayFrame(last_stream_id=_LAST_STREAM).serialize())

    def _flush(self) -> None:
        self._transport.write(self._http.data_to_send())


def _head(answer: Answer) -> list[tuple[str, str]]:
    headers = [(name.decode(), value.decode()) for name, value in answer.headers]
    if answer.grpc is None:
        headers.append(("content-length", str(len(answer.body))))
    return [(":status", str(answer.status)), *headers]
