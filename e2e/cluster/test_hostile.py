"""Clusters of root start and end as usual although another user has made Firedamp's folders first."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from fixtures.cli.hostile_for_test import another_user, folder
from fixtures.core.paths import cache_root, state_root


class Firedamp(Protocol):
    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder like /tmp."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o1777)
        yield path


@pytest.fixture
def firedamp(shared: Path) -> Firedamp:
    """The command, with temporary files and a runtime folder where that user was first."""
    environment = {
        **os.environ,
        "TMPDIR": str(shared),
        "XDG_RUNTIME_DIR": str(shared),
        "XDG_CACHE_HOME": str(cache_root().parent),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from fixtures.cli.app import main; main()", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=280, check=False
        )

    return run


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
@pytest.mark.usefixtures("embedded_node")
def test_a_cluster_is_started_seen_and_ended_past_what_they_planted(shared: Path, firedamp: Firedamp) -> None:
    name, marker = f"hostile-{secrets.token_hex(3)}", shared / "marker"

    def plant() -> None:
        for place in (shared / "firedamp", shared / f"firedamp-{os.getuid()}"):
            folder(place, marker)

    with another_user(plant):
        try:
            up = firedamp("up", name)
            assert up.returncode == 0, up.stderr
            assert f"{shared / 'firedamp'} is not used: {shared} can be changed by other users" in up.stderr
            kubeconfig = Path(up.stdout.rpartition("KUBECONFIG=")[2].strip())
            assert kubeconfig.is_relative_to(state_root())
            listed = firedamp("list").stdout
            assert name in listed
            assert "evil" not in listed
            diagnosed = firedamp("diagnose", "payments", "--cluster", name)
            assert (diagnosed.returncode, diagnosed.stdout) == (2, "")
            assert "payments" in diagnosed.stderr
        finally:
            down = firedamp("down", name)
        assert down.returncode == 0, down.stderr
        assert not kubeconfig.parent.exists()
    assert not marker.exists(), "a command of another user's was run as root"
