"""Hands out the files of a load that runs elsewhere, such as in a pod, to the harness that asks for them.

The master of such a load serves HTTP. Every request has the token of the run. Files are read from an offset
on, so that a request which got no answer is simply sent again, and nothing is lost or doubled.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gevent.pywsgi import WSGIServer

MOST_BYTES = 1 << 20
"""The most that one answer has of a file."""
_LONGEST_BODY = 4096

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Collecting:
    """A small HTTP service: the clock, the state, and the files of a load, and three words of the harness."""

    def __init__(self, token: str, files: Iterable[Path], state: Callable[[], dict[str, object]]) -> None:
        """Prepare it.

        Args:
            token: Requests without this bearer token are refused.
            files: The files that may be read; no others can be named.
            state: Returns what is known of the load now.
        """
        self._token = token
        self._files = {path.name: path for path in files}
        self._state = state
        self._words: dict[str, Callable[[Mapping[str, Any]], object]] = {}

    def on(self, word: str, take: Callable[[Mapping[str, Any]], object]) -> None:
        """Have a function called with what is sent by `POST /word`."""
        self._words[word] = take

    def serve(self, port: int) -> None:
        """Listen on this port of all addresses of the network namespace, which is that of the pod."""
        WSGIServer(("", port), self.answer, log=None).start()

    def answer(self, environ: Mapping[str, Any], start: StartResponse) -> list[bytes]:
        """Answer one request, as a WSGI application."""
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return _answered(start, "401 Unauthorized")
        method, _, *parts = (environ["REQUEST_METHOD"], *str(environ["PATH_INFO"]).split("/"))
        match (method, parts):
            case ("GET", ["state"]):
                sizes = {name: path.stat().st_size for name, path in self._files.items() if path.exists()}
                return _answered(start, "200 OK", json.dumps({**self._state(), "sizes": sizes}).encode())
            case ("GET", ["files", name, offset]) if name in self._files and offset.isdecimal():
                return _answered(start, "200 OK", _part(self._files[name], int(offset)))
            case ("POST", [word]) if word in self._words:
                size = min(int(environ.get("CONTENT_LENGTH") or 0), _LONGEST_BODY)
                self._words[word](json.loads(environ["wsgi.input"].read(size) or b"{}"))
                return _answered(start, "200 OK")
        return _answered(start, "404 Not Found")


def _part(path: Path, offset: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(MOST_BYTES)


def _answered(start: StartResponse, status: str, body: bytes = b"") -> list[bytes]:
    start(status, [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]
