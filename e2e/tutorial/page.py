"""Reads the steps of the tutorial in order: the files to save, the tests to run, and what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.docs.markdown import ROOT, blocks
from fixtures.docs.shell import commands

PAGE = ROOT / "docs" / "tutorial.md"
_FILE = re.compile(r"# (?P<name>my_tests/\w+\.py)\n")


@dataclass(frozen=True)
class Step:
    """One test file of the tutorial.

    Attributes:
        file: Where the reader saves it.
        source: The text of the file.
        shown: The lines that the page shows of the output of its run.
    """

    file: str
    source: str
    shown: tuple[str, ...]


def steps(page: Path = PAGE) -> Iterator[Step]:
    """The steps of the page.

    Raises:
        ValueError: The page does not have, for each step, a file, the command that runs it, and its output.
    """
    collected = [
        code
        for code in blocks(page, "python", "sh", "text")
        if "-m pytest" in code.text or code.language != "sh"
    ]
    if [code.language for code in collected] != ["python", "sh", "text"] * (len(collected) // 3):
        raise ValueError("the tutorial has to have, for each step: a file, its run, and what that prints")
    for file, run, output in zip(collected[::3], collected[1::3], collected[2::3], strict=True):
        name = _FILE.match(file.text)
        (command,) = commands(run.text)
        if name is None or command.arguments != ("-m", "pytest", name["name"]):
            raise ValueError(f"{run}: this does not run the file that is saved in {file}")
        yield Step(name["name"], file.text, tuple(output.text.splitlines()))
