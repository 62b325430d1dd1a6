"""The records of mutants that ran: one JSON object a line, which is added and never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from fixtures.core.documents import record_lines
from fixtures.core.schema import shaped

CAUGHT, MISSED, UNKNOWN = "caught", "missed", "unknown"
_HINT = "remove the line; the mutant then counts as not run"


class MutantRecord(Struct, frozen=True, kw_only=True):
    """What tests made of a mutant.

    Attributes:
        version: The version of Argo Rollouts.
        place: Where it is: "rollout/pause.go:139, completedPrePromotionAnalysis".
        kind: The rule that made it.
        original: The source that was changed.
        verdict: `caught`, `missed` or `unknown`.
        test: The node id of the test that failed; "" if none did.
        why: The first line of its failure, or why nothing is known.
        tests: How many tests ran, that one included.
        reaching: How many tests reach it.
        seconds: How long the tests took, with their cluster.
        commit: The commit of this project.
        at: When: "2026-11-30T15:15:00Z".
    """

    version: str
    place: str
    kind: str
    original: str
    verdict: Annotated[str, Meta(pattern="^(caught|missed|unknown)$")]
    test: str
    why: str
    tests: Annotated[int, Meta(ge=0)]
    reaching: Annotated[int, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0)]
    commit: str
    at: str

    @property
    def mutant(self) -> tuple[str, str, str]:
        """What it is called: place, rule and source stay the same when numbers do not."""
        return self.place, self.kind, self.original


def read_records(file: Path) -> list[MutantRecord]:
    """The records of a file, the oldest first; none if there is no file.

    Raises:
        FiredampError: A line is not a record; the text says which.
    """
    return record_lines.read_records(file, lambda row, where: shaped(row, MutantRecord, where, hint=_HINT))
