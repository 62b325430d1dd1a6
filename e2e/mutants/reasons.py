"""Why a mutant that no test catches is none to catch, or what would catch it: written by people."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("reasons.toml")


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a mutant is missed.

    Attributes:
        place: Where it is, as in a record.
        kind: The rule that made it.
        original: The source that was changed.
        equivalent: Whether nobody can tell it from the original, by anything that the controller does.
        why: The reason.
    """

    place: str
    kind: str
    original: str
    equivalent: bool
    why: str


def read_reasons() -> dict[tuple[str, str, str], Reason]:
    """Read all reasons, by what records call the mutant."""
    rows = tomllib.loads(FILE.read_text()).get("mutant", [])
    reasons = msgspec.convert(rows, list[Reason])
    return {(each.place, each.kind, each.original): each for each in reasons}
