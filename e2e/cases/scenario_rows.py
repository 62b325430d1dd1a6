"""Reads the reports that a scenario shows instead of a repro file, and those that nothing shows.

The file is kept by hand: a scenario's verdict is that of a run somebody has made, and its commit and day
are that run's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from e2e.cases.records import VerdictText
from fixtures.core.documents.toml_text import parse_toml
from fixtures.core.schema import shaped

FILE = Path(__file__).parent / "scenarios.toml"


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run of a scenario came to.

    Attributes:
        version: The component and its version: "rollouts v1.10.2".
        verdict: `reproduced`, `not reproduced`, or `could not be run` if the machine was too slow.
        day: The day of the run: "2026-12-01".
        commit: The commit of this project that ran it.
    """

    version: str
    verdict: VerdictText
    day: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    commit: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]


class ScenarioRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report that a scenario shows.

    Attributes:
        issues: Numbers of issues of Argo Rollouts.
        test: The scenario's test: "e2e/gitops/test_weights.py::test_name".
        what: What happens, in one sentence.
        seen: What runs came to; none if none was made.
    """

    issues: list[int]
    test: str
    what: str
    seen: list[Seen] = []


class LeftOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reports that have neither a file nor a scenario.

    Attributes:
        issues: Numbers of issues of Argo Rollouts.
        why: Why not.
    """

    issues: list[int]
    why: str


class ScenarioRows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of the file."""

    row: list[ScenarioRow]
    left_out: list[LeftOut]


def read_rows(file: Path = FILE) -> ScenarioRows:
    """The rows of the file.

    Raises:
        FiredampError: The file is no TOML, or a row is not as it should be; the text says which.
    """
    return shaped(parse_toml(file.read_text(), file.name), ScenarioRows, file.name)
