"""A server on loopback that stands in for GitHub: it has an archive of the Rollouts panel to download."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from fixtures.core.pki import Authority
from fixtures.core.serving_for_test import serving

SCRIPT = "window.extensionsAPI.registerResourceExtension(null, 'argoproj.io', 'Rollout', 'stand-in');"


@contextmanager
def serving_a_panel(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve an archive with `SCRIPT` in it; yield its URL and SHA-256. `folder` is for the server's keys."""
    folder.mkdir()
    archive = _archive("resources/rollouts/extension-rollouts.js", SCRIPT.encode())

    class Download(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(archive)))
            self.end_headers()
            self.wfile.write(archive)

        def log_message(self, *_: object) -> None:
            pass

    certificate, key = Authority.create(folder, "test").issue("server", "server", hosts=["127.0.0.1"])
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Download), context) as server:
        url = f"https://127.0.0.1:{server.server_port}/download/extension.tar"
        yield url, hashlib.sha256(archive).hexdigest()


def _archive(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
