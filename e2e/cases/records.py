"""The records of cases that ran: one JSON object a line, which is added and never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from fixtures.core.documents import record_lines
from fixtures.core.schema import shaped

VerdictText = Annotated[str, Meta(pattern="^(reproduced|not reproduced|could not be run)$")]
"""The value of a `Verdict`, as files have it."""

_HINT = "remove the line; the case then counts as not run"


class CaseRecord(Struct, frozen=True, kw_only=True):
    """What a case came to on one version.

    Attributes:
        case: The name of its file, without the ending.
        component: Whose version it is.
        version: The version.
        verdict: `reproduced`, `not reproduced` or `could not be run`.
        shown: What shows it, or why it could not be run, in one line; "" if the right behaviour held.
        seconds: How long the case took, without the start of the cluster.
        commit: The commit of this project that ran it.
        at: When: "2026-11-30T15:15:00Z".
    """

    case: str
    component: str
    version: str
    verdict: VerdictText
    shown: str
    seconds: Annotated[float, Meta(ge=0)]
    commit: str
    at: str


def read_records(file: Path) -> list[CaseRecord]:
    """The records of a file, the oldest first; none if there is no file.

    Raises:
        FiredampError: A line is not a record; the text says which.
    """
    return record_lines.read_records(file, lambda row, where: shaped(row, CaseRecord, where, hint=_HINT))
