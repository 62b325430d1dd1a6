"""A registry like that of kind's users: a container on the nodes' network, published on loopback."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from e2e.artifacts.local_registry import CONFIG, ENVIRONMENT, Registry
from fixtures.artifacts.oci.image import Config, Image, write_archive
from fixtures.artifacts.oci.layer import File, Layer
from fixtures.core.answering import until_answered, with_status
from fixtures.core.process import CommandError
from fixtures.providers.kind.docker import Docker
from fixtures.providers.kind.local_registry import network

PORT = 5000
# A line of its access log, which is all that it writes to its standard output.
_MANIFEST_SERVED = re.compile(r'"GET /v2/(?P<repository>\S+)/manifests/\S+ HTTP/1.1" 200 .*"containerd/')


class RegistryContainer(Registry):
    """A registry that runs while the `with` block does; the network stays if it was there before."""

    def __init__(self, folder: Path, *, registry: Path, crane: Path) -> None:
        """Describe it; see `Registry`."""
        super().__init__(folder, registry=registry, crane=crane)
        self._docker = Docker()
        self._undoing = ExitStack()
        self.name = f"fd-registry-{secrets.token_hex(3)}"

    def __enter__(self) -> Self:
        with ExitStack() as undoing:
            if network() not in self._docker.run("network", "ls", "--format", "{{.Name}}").split():
                self._docker.run("network", "create", network())
                undoing.callback(self._remove_network)
            image = self._load_image()
            undoing.callback(self._docker.run, "image", "rm", image)
            publish = f"127.0.0.1::{PORT}"
            self._docker.run("create", "--name", self.name, "--publish", publish, image)
            undoing.callback(self._docker.run, "rm", "--force", "--volumes", self.name)
            self._docker.run("network", "connect", network(), self.name)
            self._docker.run("start", self.name)
            self.port = int(self._docker.run("port", self.name, f"{PORT}/tcp").strip().rpartition(":")[2])
            until_answered(f"{self.url}/v2/", what="registry in docker", timeout=20, accept=with_status(200))
            self._undoing = undoing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undoing.close()

    @property
    def asked_by_nodes(self) -> set[str]:
        """The repositories of which containerd has fetched a manifest."""
        log = self._docker.run("logs", self.name)
        return {match["repository"] for match in _MANIFEST_SERVED.finditer(log)}

    def _remove_network(self) -> None:
        with suppress(CommandError):  # somebody else has a cluster on it by now
            self._docker.run("network", "rm", network())

    def _load_image(self) -> str:
        config = CONFIG.format(data="/data", address=f":{PORT}")
        contents = {"/registry": File(self._registry, 0o755), "/config.yml": File(config.encode())}
        started = Config(entrypoint=("/registry", "serve", "/config.yml"), env=ENVIRONMENT)
        image = Image(f"firedamp.dev/registry:{self.name}", started, (Layer(contents),))
        archive = self._folder / "registry.tar"
        write_archive([image], archive)
        self._docker.run("load", "--input", archive, timeout=60)
        archive.unlink()
        return image.name
