from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kind_host import runtime

Call = Callable[..., list[str]]
PROCESS = {
    "args": ["init"],
    "capabilities": {
        "bounding": ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"],
        "permitted": ["CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"],
        "ambient": None,
    },
    "oomScoreAdj": -999,
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1 << 20, "soft": 1 << 20}],
}
RELAXED = {
    "args": ["init"],
    "capabilities": {"bounding": ["CAP_SYS_ADMIN"], "permitted": ["CAP_SYS_ADMIN"], "ambient": None},
    "oomScoreAdj": 0,
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"process": PROCESS, "hostname": "x"}))
    return tmp_path


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run it with a runc that says what it was called with."""
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    runc.chmod(0o755)

    def run(*arguments: str | Path, cwd: Path | None = None) -> list[str]:
        command = [sys.executable, "-IS", runtime.__file__, runc, *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.split()

    return run


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("form", [["--bundle", "{}"], ["--bundle={}"], ["-b", "{}"]])
def test_a_container_does_not_ask_for_what_cannot_be_had(bundle: Path, call: Call, form: list[str]) -> None:
    arguments = ["--root", "/r", "create", *(part.format(bundle) for part in form), "id"]
    assert call(*arguments) == arguments
    assert document(bundle / "config.json") == {"process": RELAXED, "hostname": "x"}


def test_the_bundle_is_the_working_directory_unless_given(bundle: Path, call: Call) -> None:
    call("run", "id", cwd=bundle)
    assert document(bundle / "config.json")["process"] == RELAXED


@pytest.mark.parametrize("form", [["--process", "{}"], ["--process={}"], ["-p", "{}"]])
def test_a_process_in_a_container_does_not_ask_either(tmp_path: Path, call: Call, form: list[str]) -> None:
    path = tmp_path / "process.json"
    path.write_text(json.dumps(PROCESS))
    call("exec", *(part.format(path) for part in form), "id")
    assert document(path) == RELAXED


def test_what_starts_nothing_changes_nothing(bundle: Path, call: Call) -> None:
    assert call("delete", "--force", "id", cwd=bundle) == ["delete", "--force", "id"]
    assert call("exec", "id", "ls", cwd=bundle) == ["exec", "id", "ls"]
    assert document(bundle / "config.json")["process"] == PROCESS


def test_a_process_that_may_be_killed_first_stays_so() -> None:
    process: dict[str, Any] = {"oomScoreAdj": 500}
    runtime.relax(process)
    assert process == {"oomScoreAdj": 500}
