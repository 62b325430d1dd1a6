from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.core.errors import FiredampError
from fixtures.core.progress import Phases
from fixtures.providers.checks import Check
from kind_host import host

DOCKER = "#!/bin/sh\n[ $1 = info ] && [ -e $(dirname $0)/daemon ]\n"


def test_a_docker_without_its_daemon_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    assert not host.docker_answers()
    (tmp_path / "daemon").touch()
    assert host.docker_answers()


def test_without_docker_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not host.docker_answers()


def test_what_this_machine_lacks_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [
        Check("root", ok=False, found="user id 1000", hint="run as root"),
        Check("memory", ok=True, found="4 GiB"),
        Check("command unshare", ok=False, found="not found", hint="install util-linux"),
    ]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("fixtures.providers.checks.check_native", lambda _: checks)
    monkeypatch.setattr(host, "Builder", lambda **_: pytest.fail("it began to build"))
    said = "root: user id 1000, command unshare: not found\n  -> run as root, install util-linux"
    with pytest.raises(FiredampError, match=said), host.own_docker(Phases()):
        pass
    assert not (tmp_path / "cache").exists()
