"""The tutorial works as it says: its files are saved and run, and they print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.tutorial.page import PAGE, steps
from e2e.tutorial.running import RunTests
from fixtures.docs.markdown import inline_code


@pytest.mark.smoke
def test_the_tutorial_works_as_it_says(run_tests: RunTests, tmp_path: Path) -> None:
    for step in steps():
        file = tmp_path / step.file
        file.parent.mkdir(exist_ok=True)
        file.write_text(step.source)
        printed = run_tests(file)
        print(printed)
        assert "node Ready" not in printed, "it started a cluster of its own"
        missing = [line for line in step.shown if not re.search(_pattern(line), printed)]
        assert not missing, f"the run of {step.file} did not print what the tutorial shows"

    (failed,) = tmp_path.glob("firedamp-out/*test_unprotected*")
    named = [
        code.text
        for code in inline_code(PAGE)
        if code.is_definition and re.search(r"\.(html|jsonl|txt|yaml)$", code.text)
    ]
    assert len(named) > 3
    assert not [name for name in named if not (failed / name).exists()]


def _pattern(line: str) -> str:
    """A line of the tutorial, in which `…` stands for what differs from run to run."""
    return ".*".join(map(re.escape, line.split("…")))
