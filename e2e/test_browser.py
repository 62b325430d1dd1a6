"""Tests of the browser that opens Argo CD's web interface. They need no cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest

from e2e.browser import Browser
from fixtures.core.errors import FiredampError
from fixtures.core.pki import Authority
from fixtures.core.retry import PendingError, until
from fixtures.core.serving_for_test import serving


class _Page(BaseHTTPRequestHandler):
    """Shows the cookies that it is sent, and what a script makes of the page."""

    def do_GET(self) -> None:
        script = "document.body.append('from a ' + 'script')"
        text = f"<body>{self.headers.get('Cookie')} <script>{script}</script>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


def test_it_shows_a_page_to_whom_the_cookie_names(chromium: str, tmp_path: Path) -> None:
    server = _serving(tmp_path / "server")
    with server as trust, Browser(chromium, tmp_path / "browser", *trust) as page:
        page.set_cookie(trust[0], "argocd.token", "t0ken")
        page.open(trust[0])
        text = until(lambda: _with(page, "from a script"), what="the script's text", timeout=60)
    assert "argocd.token=t0ken" in text


def test_it_trusts_that_server_alone(chromium: str, tmp_path: Path) -> None:
    server, other = _serving(tmp_path / "server"), _serving(tmp_path / "other")
    with server as trust, other as (url, _), Browser(chromium, tmp_path / "browser", *trust) as page:
        page.open(trust[0])
        with pytest.raises(FiredampError, match="ERR_CERT_AUTHORITY_INVALID"):
            page.open(url)


def _with(page: Browser, part: str) -> str:
    if part not in (text := page.text()):
        raise PendingError(text)
    return text


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a page, and the authority that vouches for it."""
    folder.mkdir()
    certificate, key = Authority.create(folder, "test").issue("server", "server", hosts=["127.0.0.1"])
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Page), context) as server:
        yield f"https://127.0.0.1:{server.server_port}", folder / "ca.crt"
