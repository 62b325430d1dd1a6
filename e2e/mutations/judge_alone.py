"""What the judge alone says of the recorded trials of a row, whatever the row itself asserts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from fixtures.core.errors import FiredampError
from fixtures.judge.invariants.invariant import Outcome, Verdict
from fixtures.judge.invariants.judge import judge
from fixtures.trial.trial import Trial

FILE = "judge.json"


class JudgeAlone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What invariants and bounds say of a run, apart from all else that its test asserts.

    Attributes:
        recordings: How many trials were judged, as far as they were recorded when the test ended.
        violated: Invariants that are sure and were violated by what nobody knows, each with what was seen.
        doubts: Likewise, of invariants that may have false alarms; they catch nothing.
        known: Violations that are known of upstream; they catch nothing.
        unknown: Invariants that no recording decided.
        unreadable: Why a recording cannot be judged, with the error that whoever judges it gets.
        bound: The bound that was exceeded; "" if none was.
        of: Which recordings these are, if they were not judged as the run ended: of a run of the same row by
            `firedamp compare`, or this run's, judged again after a change of the invariants.
    """

    recordings: int = 0
    violated: list[str] = []
    doubts: list[str] = []
    known: list[str] = []
    unknown: list[str] = []
    unreadable: list[str] = []
    bound: str = ""
    of: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether somebody who sees only this knows that something is wrong."""
        return bool(self.violated or self.bound)


def judged_alone(trials: Iterable[Trial], bound: str = "") -> JudgeAlone:
    """Judge trials by all invariants.

    Args:
        trials: Those of one test that has ended, whatever its outcome.
        bound: The bound that was exceeded in it, in words; "" if none was.
    """
    verdicts: list[Sequence[Verdict]] = []
    unreadable = []
    for trial in trials:
        try:
            verdicts.append(judge(trial.records()))
        except FiredampError as error:
            unreadable.append(f"{type(error).__name__}: {error.message.splitlines()[0]}")
    every = [verdict for of_trial in verdicts for verdict in of_trial]
    decided = {each.invariant.name for each in every if each.outcome is not Outcome.UNKNOWN}
    return JudgeAlone(
        recordings=len(verdicts),
        violated=_violations(each for each in every if each.is_red),
        doubts=_violations(e for e in every if e.outcome is Outcome.VIOLATED and not e.is_red),
        known=_violations(each for each in every if each.outcome is Outcome.KNOWN),
        unknown=sorted({each.invariant.name for each in every} - decided),
        unreadable=unreadable,
        bound=bound,
    )


def write(alone: JudgeAlone, folder: Path) -> None:
    """Write it into the folder of a run."""
    (folder / FILE).write_bytes(msgspec.json.encode(alone))


def read(folder: Path) -> JudgeAlone | None:
    """Read it from the folder of a run; None if the run did not come so far that anything was judged."""
    file = folder / FILE
    return msgspec.json.decode(file.read_bytes(), type=JudgeAlone) if file.exists() else None


def _violations(verdicts: Iterable[Verdict]) -> list[str]:
    """Each invariant with the first of its violations."""
    return [f"{verdict.invariant.name}: {verdict.violations[0].text}" for verdict in verdicts]
