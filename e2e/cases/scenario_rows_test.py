from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.cases.scenario_rows import ScenarioRow, read_rows
from fixtures.core.errors import FiredampError

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("row", read_rows().row, ids=lambda row: str(row.issues[0]))
def test_the_test_of_a_row_exists(row: ScenarioRow) -> None:
    file, _, name = row.test.partition("::")
    assert re.search(rf"^def {re.escape(name)}\(", (_ROOT / file).read_text(), re.MULTILINE), row.test


def test_a_verdict_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.toml"
    file.write_text(
        'left_out = []\n[[row]]\nissues = [1]\ntest = "a::b"\nwhat = "x"\n'
        "[[row.seen]]\n"
        'version = "rollouts v1"\nverdict = "perhaps"\nday = "2026-12-01"\ncommit = "0123456789ab"\n'
    )
    with pytest.raises(FiredampError, match=r"scenarios\.toml, .*verdict"):
        read_rows(file)
