from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster import ledger
from e2e.cluster.killing import Kill
from e2e.cluster.ledger import KillSettings
from fixtures.providers.native.traces import Trace

CLEAN = Kill("boot", 1.5, with_group=False, secrets=4, gone=0.3, seconds={"boot": 4.0})
DIRTY = replace(CLEAN, phase="load", gone=30.0, left=[Trace("secret", "/x"), Trace("mount", "/y", "z")])


def test_a_later_run_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    path = tmp_path / "kills.jsonl"
    first = ledger.opened(path, KillSettings("native", 7))
    for kill in (CLEAN, DIRTY):
        first.add(kill)
    again = ledger.opened(path, KillSettings("native", 8))
    assert (again.settings, again.kills) == (KillSettings("native", 7), [CLEAN, DIRTY])
    again.add(CLEAN)
    assert len(ledger.opened(path, KillSettings("native", 9)).kills) == 3


@pytest.mark.parametrize("settings", [KillSettings("kind", 7), KillSettings("native", 7, gitops=True)])
def test_kills_of_another_kind_are_not_counted_together(tmp_path: Path, settings: KillSettings) -> None:
    ledger.opened(tmp_path / "kills.jsonl", KillSettings("native", 7))
    with pytest.raises(ValueError, match="has kills of KillSettings"):
        ledger.opened(tmp_path / "kills.jsonl", settings)


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    ledger.opened(None, KillSettings("native", 7)).add(CLEAN)
    assert list(tmp_path.iterdir()) == []


def test_the_summary_counts_what_was_left_and_every_secret() -> None:
    summary = ledger.summary([CLEAN, CLEAN, DIRTY], ["boot", "load"])
    assert summary.startswith(
        "3 kills (boot 2, load 1; 0 with the process group)\n1 left something; of 12 secrets"
    )
    assert "1 were found" in summary
    assert summary.endswith("most 30.00 s")
