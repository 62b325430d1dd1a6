"""Clusters of every provider start and end side by side, and leave nothing behind however they end."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.cluster.conformance.conftest import NewName
from e2e.cluster.killing import Killer
from e2e.types import Report
from fixtures.core.errors import FiredampError
from fixtures.kube.kinds import NAMESPACE
from fixtures.kube.provider import ClusterProvider
from fixtures.providers.rig import Rig

_START_SECONDS = 600


def test_two_side_by_side_share_nothing_and_a_name_is_given_once(
    elsewhere: Rig, cluster: ClusterProvider, new_name: NewName
) -> None:
    other = elsewhere.cluster(new_name())
    other.start()
    try:
        other.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-there"}})
        assert cluster.kube.get(NAMESPACE, "only-there") is None
        twin = elsewhere.cluster(other.name)
        with pytest.raises(FiredampError, match=f"a cluster named {other.name} exists"):
            twin.start()
        twin.stop()
        assert other.kube.raw("/readyz") == "ok"
    finally:
        other.stop()
    other.stop()
    assert elsewhere.traces(other.name) == []
    assert cluster.kube.raw("/readyz") == "ok"


def test_one_that_was_not_started_has_nothing_to_stop(elsewhere: Rig, new_name: NewName) -> None:
    elsewhere.cluster(new_name()).stop()


def test_one_that_is_kept_outlives_its_process_is_listed_and_taken_down(
    elsewhere: Rig, new_name: NewName
) -> None:
    name = new_name()
    command = [*_holding("keep", elsewhere), name]
    subprocess.run(command, check=True, timeout=_START_SECONDS, capture_output=True)
    row = next(line.split() for line in _firedamp("list").stdout.splitlines() if name in line)
    assert row[2:4] == [elsewhere.provider, "running"]
    assert _firedamp("down", name).stdout == f"cluster {name} is gone\n"
    assert elsewhere.traces(name) == []
    again = _firedamp("down", name)
    assert (again.returncode, again.stdout) == (1, "")
    assert f"no cluster named '{name}'" in again.stderr


@pytest.mark.smoke
def test_a_killed_process_leaves_nothing(elsewhere: Rig, tmp_path: Path, numbers: Report) -> None:
    seed = secrets.randbelow(1 << 32)
    killer = Killer(
        tmp_path / "log",
        f"cf-{secrets.token_hex(3)}",
        _holding("hold", elsewhere),
        within=elsewhere.gone_seconds,
        also=elsewhere.traces,
    )
    kills = list(killer.kill_many(2, seed))
    left = [
        f"killed in {each.phase} after {each.after:.2f} s: {trace}" for each in kills for trace in each.left
    ]
    assert not left, f"seed {seed}:\n" + "\n".join(left)
    numbers(gone_after_kill=f"{max(each.gone for each in kills):.2f} s")


@pytest.mark.parametrize("name", ["Not-A-Name", "-dev", "dev_1", "a" * 41, "../dev"])
def test_a_name_that_cannot_be_one_is_refused(rig: Rig, name: str) -> None:
    with pytest.raises(FiredampError, match="cannot be a cluster's name"):
        rig.cluster(name)


def _holding(then: str, rig: Rig) -> list[str]:
    return [sys.executable, "-m", "e2e.cluster.conformance.holding", then, rig.provider, *rig.arguments, "--"]


def _firedamp(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from fixtures.cli.app import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
