"""Runs a real registry (distribution/distribution) on loopback, as a mirror of all others, and fills it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from types import TracebackType
from typing import Self

from fixtures.artifacts.oci.image import Image, write_archive
from fixtures.core.process import run, spawn
from fixtures.core.retry import PendingError, until

CONFIG = """\
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: "{address}", secret: local}}
"""
ENVIRONMENT = {"OTEL_TRACES_EXPORTER": "none"}
_PUSH_SECONDS = 120
_NAME, _TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"


class Registry:
    """A registry that listens on `port` of loopback; `folder` is for files that come and go."""

    def __init__(self, folder: Path, *, registry: Path, crane: Path) -> None:
        """Prepare a registry that is not running yet.

        Args:
            folder: An empty folder.
            registry: The registry's program.
            crane: The program crane, which pushes images.
        """
        self._folder = folder
        self._registry = registry
        self._program = crane
        self.port = 0

    @property
    def url(self) -> str:
        """The URL of the registry, for `FIREDAMP_REGISTRY_MIRROR`."""
        return f"http://127.0.0.1:{self.port}"

    def push(self, image: Image) -> str:
        """Push an image under its full name, its registry included; return the digest of its manifest."""
        archive = self._folder / "image.tar"
        write_archive([image], archive)
        pushed = self._crane("push", archive, self._at(image.name))
        archive.unlink()
        return pushed.strip().rpartition("@")[2]

    def push_under_their_names(self, archive: Path) -> dict[str, str]:
        """Push the images of an archive under their full names, with their layers unchanged.

        Returns:
            Their digests by name.
        """
        pushed = {about[_NAME]: digest for digest, about in self._push(archive, "all")}
        for name, digest in pushed.items():
            self._crane("copy", f"{self._at('all')}@{digest}", self._at(name))
        return pushed

    def push_as(self, repository: str, archive: Path) -> None:
        """Push the images of an archive to one repository, each under its tag, as docs/existing.md says."""
        for digest, about in self._push(archive, repository):
            self._crane("tag", f"{self._at(repository)}@{digest}", about[_TAG])

    def _push(self, archive: Path, repository: str) -> list[tuple[str, dict[str, str]]]:
        """Push the images of an archive to one repository, without tags; returns digests and annotations."""
        layout = self._folder / "layout"
        with tarfile.open(archive) as tar:
            tar.extractall(layout, filter="data")
        self._crane("push", "--index", layout, self._at(repository))
        index = json.loads((layout / "index.json").read_text())
        shutil.rmtree(layout)
        return [(each["digest"], each["annotations"]) for each in index["manifests"]]

    def _at(self, name: str) -> str:
        return f"127.0.0.1:{self.port}/{name}"

    def _crane(self, verb: str, *arguments: str | Path) -> str:
        return run([self._program, verb, "--insecure", *arguments], timeout=_PUSH_SECONDS)


class LocalRegistry(Registry):
    """A registry whose data is in `folder`; it runs while the `with` block does."""

    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        config, log = self._folder / "config.yml", self._folder / "registry.log"
        config.write_text(CONFIG.format(data=self.data, address="127.0.0.1:0"))
        process = self._process = spawn([self._registry, "serve", config], log=log, env=ENVIRONMENT)

        def port() -> int:
            text = log.read_text()
            assert process.poll() is None, text
            match = re.search(r"listening on 127\.0\.0\.1:(\d+)", text)
            if not match:
                raise PendingError(text[-200:])
            return int(match[1])

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
        """The folder with its blobs."""
        return self._folder / "data"
