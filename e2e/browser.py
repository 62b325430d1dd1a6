"""A headless Chromium, driven over a pipe by the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import select
import shutil
import ssl
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fixtures.core.errors import FiredampError
from fixtures.core.objects import Object
from fixtures.core.process import spawn

NAMES = ("chromium", "chromium-browser", "google-chrome")
_ANSWER_SECONDS = 90.0


def find() -> str | None:
    """The path of an installed browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a new browser, which has a profile of its own and nothing of the user's."""

    def __init__(self, program: str, folder: Path, url: str = "", authority: Path | None = None) -> None:
        """Prepare it.

        Args:
            program: Chromium.
            folder: Empty or absent; its profile and log go there.
            url: The URL of the only server with TLS that it will visit.
            authority: PEM file of the authority that verifies this server's certificate.
        """
        self._program = program
        self._folder = folder
        self._trusted = _fingerprint(url, authority) if authority else ""
        self._numbers = itertools.count(1)
        self._received = b""
        self._session = ""

    def __enter__(self) -> Self:
        self._folder.mkdir()
        with ExitStack() as ending:
            theirs_in, self._to = os.pipe()
            self._from, theirs_out = os.pipe()
            ending.callback(os.close, self._to)
            ending.callback(os.close, self._from)
            process = self._start(theirs_in, theirs_out)
            ending.callback(process.wait)
            ending.callback(process.kill)
            target = self._call("Target.createTarget", url="about:blank")["targetId"]
            session = self._call("Target.attachToTarget", targetId=target, flatten=True)
            self._session = str(session["sessionId"])
            self._ending = ending.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def set_cookie(self, url: str, name: str, value: str) -> None:
        """Set a cookie in the browser, as a login does."""
        self._call("Network.setCookie", url=url, name=name, value=value, secure=True, httpOnly=True)

    def open(self, url: str) -> None:
        """Go to a page."""
        answer = self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise FiredampError(f"the browser cannot open {url}: {answer['errorText']}")

    def text(self) -> str:
        """The text that a reader of the page sees."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def evaluate(self, script: str) -> object:
        """Return the value of an expression of JavaScript in the page; of a promise, what it resolves to.

        Raises:
            FiredampError: It has thrown an error.
        """
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise FiredampError(f"the page threw an error: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def look(self, width: int, height: int, *, dark: bool = False, ratio: float = 1.0) -> None:
        """Set the size of the page in CSS pixels, the pixels of the screen for each, and light or dark."""
        size: Object = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self) -> bytes:
        """Return what the page shows, as PNG."""
        return base64.b64decode(str(self._call("Page.captureScreenshot", format="png")["data"]))

    def press(self, key: str) -> None:
        """Press and release a key, by its name in DOM: `Tab`, `Enter`, `ArrowRight`."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            code = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}.get(key, 0)
            self._call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def _start(self, their_input: int, their_output: int) -> subprocess.Popen[bytes]:
        # Chromium uses file descriptors 3 and 4 for the protocol, whatever numbers the pipes have here.
        shell = f'exec "$0" "$@" 3<&{their_input} 4>&{their_output}'
        command = ["bash", "-c", shell, self._program, *self._flags()]
        pipes = (their_input, their_output)
        try:
            return spawn(command, log=self._folder / "log", pass_fds=pipes, env={"HOME": str(self._folder)})
        finally:
            for descriptor in pipes:
                os.close(descriptor)

    def _flags(self) -> list[str]:
        flags = [
            "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--no-proxy-server", "--window-size=1600,1200",
            f"--user-data-dir={self._folder / 'profile'}",
        ]  # fmt: skip
        if self._trusted:
            flags.append(f"--ignore-certificate-errors-spki-list={self._trusted}")
        # Chromium's sandbox does not start as root.
        return [*flags, "--no-sandbox"] if os.geteuid() == 0 else flags

    def _call(self, method: str, **params: object) -> Object:
        number = next(self._numbers)
        message: Object = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            answer = self._next(method, deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise FiredampError(f"the browser refused {method}: {answer['error']['message']}")
                result: Object = answer["result"]
                return result

    def _next(self, method: str, deadline: float) -> Object:
        """The next message of the browser: an answer, or an event that nobody asked for."""
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(self._from, 65536) if ready else b""
            if not more:
                log = (self._folder / "log").read_text(errors="replace")[-500:]
                raise FiredampError(f"the browser gave no answer to {method}: {log}")
            self._received += more
        message, _, self._received = self._received.partition(b"\0")
        answer: Object = json.loads(message)
        return answer


def _fingerprint(url: str, authority: Path) -> str:
    """The hash of the server's key as Chromium wants it; the server's certificate is verified first."""
    parts = urlsplit(url)
    pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), ca_certs=str(authority))
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
