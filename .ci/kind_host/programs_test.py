from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.artifacts import debian
from fixtures.artifacts.cache import Cache
from kind_host import programs


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with programs that do nothing out of packages that hold one each."""

    def unpack(packages: Sequence[str], target: Path) -> None:
        (target / "usr" / "bin").mkdir(parents=True, exist_ok=True)
        (target / "usr" / "sbin").mkdir(exist_ok=True)
        (target / "usr" / "lib" / "a-linux-gnu").mkdir(parents=True, exist_ok=True)
        for package in packages:
            program = target / "usr" / "bin" / package.removesuffix(".io")
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)

    monkeypatch.setattr(debian, "unpack", unpack)
    return programs.docker_programs(Cache(tmp_path))


def test_the_daemon_finds_all_that_belongs_to_it(found: Path) -> None:
    environment = programs.environment(found)
    for command in ("docker", "containerd", "runc", "iptables"):
        assert shutil.which(command, path=environment["PATH"]) == str(found / "usr" / "bin" / command)
    assert environment["LD_LIBRARY_PATH"] == str(found / "usr" / "lib" / "a-linux-gnu")


def test_whoever_uses_docker_gets_the_command_and_nothing_else(found: Path) -> None:
    client = programs.client_folder(found)
    assert [path.name for path in client.iterdir()] == ["docker"]
    assert (client / "docker").resolve() == found / "usr" / "bin" / "docker"
