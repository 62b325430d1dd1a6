"""A test process that is killed leaves nothing on the host, and what does leave something is found out."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path

import pytest

from e2e.cluster.killing import Killer
from e2e.types import Report

# `python -m e2e.cluster.kill` does twenty; this many keep the suite quick.
_KILLS = int(os.environ.get("FIREDAMP_KILLS", "4"))

pytestmark = pytest.mark.usefixtures("embedded_node")

_LITTERER = """\
import subprocess, sys, tempfile
subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
tempfile.mkstemp(suffix="-forgotten")
print("start-up", flush=True)
print("run", flush=True)
sys.stdin.read()
"""


def test_a_killed_test_process_leaves_nothing(tmp_path: Path, numbers: Report) -> None:
    seed = secrets.randbelow(1 << 32)
    kills = list(Killer(tmp_path / "log", f"k{secrets.token_hex(3)}").kill_many(_KILLS, seed))
    left = [
        f"killed in {kill.phase} after {kill.after:.2f} s: {trace}" for kill in kills for trace in kill.left
    ]
    assert not left, f"seed {seed}:\n" + "\n".join(left)
    numbers(kills=len(kills), slowest_until_all_was_gone=f"{max(kill.gone for kill in kills):.2f} s")


def test_a_process_that_litters_is_found_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LITTERER]
    mark = f"k{secrets.token_hex(3)}"
    (kill,) = Killer(tmp_path / "log", mark, command, within=0.3).kill_many(1, seed=1)
    (process,) = [trace for trace in kill.left if trace.kind == "process"]
    os.kill(int(process.what.split()[0]), signal.SIGKILL)
    assert process.detail == "sleep 60"
    assert [trace.what.endswith("-forgotten") for trace in kill.left if trace.kind == "file"] == [True]
