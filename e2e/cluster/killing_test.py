"""What a killed process leaves on the host is found."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path

import pytest

from e2e.cluster import leaks
from e2e.cluster.killing import Kill, Killer
from e2e.cluster.life import Phase

_PHASES = (Phase("run", 1.0, 0.1), Phase("teardown", 0.0, 1.0))
_LITTERER = """\
import secrets, subprocess, sys, tempfile
from pathlib import Path
password = secrets.token_hex(16)
Path(tempfile.gettempdir(), "argocd-password").write_text(password)
Path(sys.argv[2], "timeline.jsonl").write_text("git clone https://user:" + password + "@127.0.0.1")
subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
waiting = [sys.executable, "-c", "input()", password]
subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
print("run", flush=True)
sys.stdin.read()
"""
_TIDY = "import sys; print('run', flush=True); sys.stdin.read()"


def kill(tmp_path: Path, program: str, *, within: float = 0.3) -> Kill:
    mark = f"k{secrets.token_hex(3)}"
    killer = Killer(tmp_path / "log", mark, [sys.executable, "-c", program], _PHASES, within=within)
    (kill,) = killer.kill_many(1, seed=1)
    return kill


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has nothing else in its folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(leaks, "_PLACES", (str(tmp_path),))


def test_what_litters_is_found_out(tmp_path: Path) -> None:
    life = kill(tmp_path, _LITTERER)
    by_kind = {each.kind: [trace for trace in life.left if trace.kind == each.kind] for each in life.left}
    (process,) = by_kind["process"]
    os.kill(int(process.what.split()[0]), signal.SIGKILL)
    assert process.detail == "sleep 60"
    assert [Path(trace.what).name for trace in by_kind["file"]] == ["argocd-password"]
    assert {Path(trace.what).name for trace in by_kind["secret"]} == {"argocd-password", "timeline.jsonl"}
    assert len(by_kind["exposed secret"]) == 1
    assert (life.phase, life.secrets) == ("run", 1)


def test_what_is_tidy_is_not(tmp_path: Path) -> None:
    life = kill(tmp_path, _TIDY, within=20.0)
    assert (life.phase, life.left, life.gone < 20.0) == ("run", [], True)


def test_kills_that_were_done_are_not_repeated(tmp_path: Path) -> None:
    done = kill(tmp_path, _TIDY)
    killer = Killer(tmp_path / "log", "k-again", [sys.executable, "-c", _TIDY], _PHASES, within=0.3)
    assert len(list(killer.kill_many(3, seed=1, done=[done, done]))) == 1
