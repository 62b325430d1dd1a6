"""Compares a recorder, whose connections fail, with etcd: a short run of `e2e.harness.watch_history`."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.harness.watch_history.__main__ import run

_SECONDS = 15


@pytest.mark.usefixtures("embedded_node")
def test_a_recorder_in_trouble_tells_everything_once_and_nothing_holds_that_was_not_so(
    tmp_path: Path,
) -> None:
    assert run(_SECONDS, seed=1, folder=tmp_path)
