"""The process that holds one dockerd, opens the ports that it publishes, and leaves nothing of it behind.

Run by `.ci/docker` as `fixtures.supervisor.supervisor` describes. dockerd and all its containers live in
process, mount and network namespaces of their own: the host's interfaces, packet filter and mounts are
never touched, and all is gone at once when the first process in there is killed.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import socket
import sys
from pathlib import Path

from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.providers.native import cgroups
from fixtures.supervisor.folder import ClusterFolder
from fixtures.supervisor.namespaces import Namespaces
from fixtures.supervisor.protocol import short_path
from fixtures.supervisor.supervisor import Call, Holder, hold, keep_output
from kind_host import folders, ports, programs

_NAMESPACES = ("--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
_START_SECONDS = 30
_END_SECONDS = 10
_CAP_SYS_RESOURCE = 24


class DockerHolder(Holder):
    """One dockerd as long as somebody wants it."""

    def __init__(self, request: Call) -> None:
        """Take a request with `folder` and `programs`."""
        super().__init__(ClusterFolder(Path(request["folder"])))
        self._files = self.folder.folder
        self._programs = Path(request["programs"])
        self._inside = Namespaces(_NAMESPACES, "dockerd")
        self._lock = -1

    def start(self) -> None:
        """Start dockerd in its namespaces.

        Raises:
            FiredampError: This machine refuses something.
        """
        self._lock = folders.claim(self._files)
        keep_output(self.folder.log)
        cgroups.create(folders.cgroup(self._files))
        module = [sys.executable, "-P", "-m", "kind_host.init"]
        self._inside.start(
            lambda alive: [*module, str(alive), *self._dockerd()],
            log=self._log, env=programs.environment(self._programs), cwd=self._files,
        )  # fmt: skip

    async def make_ready(self) -> None:
        """Return when dockerd answers."""
        with short_path(self._files / "ports.sock") as path:
            self._ports = await asyncio.start_unix_server(ports.Server(self._inside.pid).serve, path)
        asyncio.get_running_loop().add_reader(self._inside.pidfd, self._daemon_ended)
        await asyncio.to_thread(until, self._answering, what="dockerd", timeout=_START_SECONDS)

    async def close(self) -> None:
        """Close nothing: each port closes when dockerd ends."""

    def remove(self) -> None:
        """End dockerd with all its containers, and remove its cgroups and files."""
        self._inside.end()
        if self._lock >= 0:
            cgroups.remove(folders.cgroup(self._files), within=_END_SECONDS)
            shutil.rmtree(self._files)
            os.close(self._lock)
            self._lock = -1

    @property
    def _log(self) -> Path:
        return self._files / "dockerd.log"

    def _dockerd(self) -> list[str | Path]:
        command: list[str | Path] = [
            "dockerd",
            *("--host", f"unix://{folders.docker_socket(self._files)}"),
            *("--data-root", self._files / "data"),
            *("--cgroup-parent", f"/{folders.cgroup(self._files)}"),
            *("--userland-proxy-path", self._script("port", self._files / "ports.sock")),
        ]
        if not _may_have_cap_sys_resource():
            runtime = self._script("runtime", self._programs / "usr" / "sbin" / "runc")
            command += ["--add-runtime", f"limited={runtime}", "--default-runtime", "limited"]
        return command

    def _script(self, module: str, argument: Path) -> Path:
        """A program that runs a module of this package, without the packages that it does not need."""
        path = self._files / module
        command = [sys.executable, "-IS", str(Path(__file__).with_name(f"{module}.py")), str(argument)]
        path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        path.chmod(0o700)
        return path

    def _answering(self) -> None:
        """Ask as `docker info` does at first: https://docs.docker.com/reference/api/engine/, Ping."""
        if self._inside.has_ended:
            raise FiredampError(f"dockerd ended: {self._last_words()}")
        try:
            with (
                socket.socket(socket.AF_UNIX) as connection,
                short_path(folders.docker_socket(self._files)) as path,
            ):
                connection.settimeout(1)
                connection.connect(path)
                connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                answer = connection.recv(64)
        except OSError as error:
            raise PendingError(f"{error}; {self._last_words()}") from error
        if b" 200 " not in answer:
            raise PendingError(answer.decode(errors="replace"))

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])

    def _daemon_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._inside.pidfd)
        self.unwanted.set()


def _may_have_cap_sys_resource() -> bool:
    """Whether the bounding set has it (capabilities(7)), without which no program here ever gets it."""
    status = Path("/proc/self/status").read_text()
    (bounding,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")]
    return bool(int(bounding, 16) >> _CAP_SYS_RESOURCE & 1)


if __name__ == "__main__":
    hold(DockerHolder)
