"""The Docker that CI starts where there is none leaves nothing behind, however its command ends."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.paths import cache_root
from fixtures.core.retry import PendingError, until
from fixtures.providers.native.traces import Trace, new_since, snapshot

_COMMAND = [str(Path(sys.executable).with_name("firedamp")), "docker", "--"]
_START_SECONDS = 300
# Its files are gigabytes, and others use the disk.
_GONE_SECONDS = 90
# A node as kind starts it: systemd with groups and mounts of its own, on a network, with a port on loopback.
_NODE = """\
docker network create test >&2
docker run --detach --privileged --cgroupns=private --network test --publish 127.0.0.1::6443 \
  --tmpfs /run --tmpfs /tmp --volume /var "$FIREDAMP_KIND_IMAGE" >&2
docker run --rm --network test --entrypoint true "$FIREDAMP_KIND_IMAGE" >&2
echo "$DOCKER_HOST"
"""


@pytest.fixture
def mark() -> str:
    """What the environment of each process of the Docker under test says."""
    host = os.environ.get("DOCKER_HOST", "")
    if not host.startswith(f"unix://{cache_root()}/"):
        pytest.skip("these tests do not run in a Docker that CI started")
    return f"own-docker-{secrets.token_hex(4)}"


def _start(mark: str, script: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere", "FIREDAMP_TEST": mark}
    return subprocess.Popen(
        [*_COMMAND, "sh", "-ec", _NODE + script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _folder(process: subprocess.Popen[str]) -> Path:
    assert process.stdout
    return Path(process.stdout.readline().strip().removeprefix("unix://")).parent


def test_a_docker_of_its_own_ends_with_its_command_without_a_trace(mark: str) -> None:
    before = snapshot([cache_root() / "docker"])
    with _start(mark, "exit 7") as process:
        folder = _folder(process)
        assert process.wait(_START_SECONDS) == 7
    assert _left(before, mark, folder) == []


def test_a_docker_whose_command_is_killed_is_gone_soon_after(mark: str) -> None:
    before = snapshot([cache_root() / "docker"])
    with _start(mark, "read -r _") as process:
        folder = _folder(process)
        kinds = {trace.kind for trace in _left(before, mark, folder)}
        assert {"process", "cgroup", "file"} <= kinds
        process.send_signal(signal.SIGKILL)

    def gone() -> None:
        if left := _left(before, mark, folder):
            raise PendingError(", ".join(map(str, left[:5])))

    until(gone, what="end of the Docker", timeout=_GONE_SECONDS, interval=0.2)


def _left(before: frozenset[Trace], mark: str, folder: Path) -> list[Trace]:
    after = snapshot([cache_root() / "docker"])
    return [trace for each in (mark, folder.name) for trace in new_since(before, after, mark=each)]
