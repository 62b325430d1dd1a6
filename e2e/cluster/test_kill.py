"""A test process that is killed leaves nothing on the host."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from e2e.cluster.kill import PHASES, victim
from e2e.cluster.killing import Killer
from e2e.types import Report

# `python -m e2e.cluster.kill` does twenty; this many keep the suite quick.
_KILLS = int(os.environ.get("FIREDAMP_KILLS", "4"))

pytestmark = pytest.mark.usefixtures("embedded_node")


def test_a_killed_test_process_leaves_nothing(tmp_path: Path, numbers: Report) -> None:
    seed = secrets.randbelow(1 << 32)
    mark = f"k{secrets.token_hex(3)}"
    killer = Killer(tmp_path / "log", mark, victim("native"), PHASES["native"])
    kills = list(killer.kill_many(_KILLS, seed))
    left = [
        f"killed in {kill.phase} after {kill.after:.2f} s: {trace}" for kill in kills for trace in kill.left
    ]
    assert not left, f"seed {seed}:\n" + "\n".join(left)
    assert sum(kill.secrets for kill in kills), "no cluster had a secret that could be looked for"
    numbers(kills=len(kills), slowest_until_all_was_gone=f"{max(kill.gone for kill in kills):.2f} s")
