"""A real registry (distribution/distribution) on loopback, filled with crane, in the place of all others."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from fixtures.artifacts.oci.image import Image, write_archive
from fixtures.core.process import run, spawn
from fixtures.core.retry import PendingError, until

_CONFIG = """\
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: "127.0.0.1:0", secret: local}}
"""


class LocalRegistry:
    """A registry whose data is in `folder`; it runs while the `with` block does."""

    def __init__(self, folder: Path, *, registry: Path, crane: Path) -> None:
        """Describe it.

        Args:
            folder: Empty.
            registry: The program.
            crane: Fills it.
        """
        self._folder = folder
        self._program = registry
        self._crane = crane
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        config, log = self._folder / "config.yml", self._folder / "registry.log"
        config.write_text(_CONFIG.format(data=self.data))
        env = {"OTEL_TRACES_EXPORTER": "none"}
        process = self._process = spawn([self._program, "serve", config], log=log, env=env)

        def port() -> int:
            text = log.read_text()
            assert process.poll() is None, text
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", text)
            if not found:
                raise PendingError(text[-200:])
            return int(found[1])

        self.port = until(port, what="registry listening", timeout=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    @property
    def data(self) -> Path:
        """Where its blobs are."""
        return self._folder / "data"

    @property
    def url(self) -> str:
        """What `FIREDAMP_REGISTRY_MIRROR` is set to."""
        return f"http://127.0.0.1:{self.port}"

    def push(self, image: Image) -> str:
        """Push an image below the name of its own registry; returns the digest of its manifest."""
        archive = self._folder / "image.tar"
        write_archive([image], archive)
        target = f"127.0.0.1:{self.port}/{image.name}"
        pushed = run([self._crane, "push", "--insecure", archive, target], timeout=120)
        archive.unlink()
        return pushed.strip().rpartition("@")[2]
