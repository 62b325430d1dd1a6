"""Claims that an object stays well, made all the time, and whether those that were confirmed were true."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from e2e.harness.watch_history.background import Background
from e2e.harness.watch_history.objects import is_well
from e2e.harness.watch_history.writer import Write
from fixtures.conditions.expectation import Assessment, Condition, met, pending
from fixtures.conditions.waiting import holds
from fixtures.core.errors import ConditionNotMetError, NotObservedError
from fixtures.kube.kinds import Kind
from fixtures.timeline.state import State
from fixtures.timeline.timeline import Timeline

HELD, FAILED, REFUSED = "held", "failed", "refused"
_END_SECONDS = 60
_AT_ONCE = 8
# A connection is half open for as long as a request lasts, and the server may be away before and after.
_LATE_SECONDS = 40


@dataclass(frozen=True)
class Claim:
    """One `holds`.

    Attributes:
        kind: Of the object that was to stay well.
        name: Of the object.
        began: When it was called, in monotonic seconds.
        seconds: For how long it was to stay well.
        ended: When it returned.
        outcome: What came of it.
    """

    kind: Kind
    name: str
    began: float
    seconds: float
    ended: float
    outcome: str


@dataclass
class Judgement:
    """What the claims came to.

    Attributes:
        outcomes: How many held, failed, were refused.
        wrong: Those that were confirmed, though the object was certainly not well in that time.
        groundless: Those that failed, though the object was certainly well all the time.
        late: Of those that failed: because a lapse of before was told late.
        extra: Seconds that `holds` took beyond its time, of those that were confirmed.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[Claim] = field(default_factory=list)
    groundless: list[Claim] = field(default_factory=list)
    late: int = 0
    extra: list[float] = field(default_factory=list)


class Claimant(Background):
    """Claims in threads that objects stay well, for as long as its block runs.

    Attributes:
        claims: What came of each.
    """

    def __init__(self, timeline: Timeline, subjects: Sequence[tuple[Kind, str]], *, seed: int) -> None:
        """Claim about objects that are recorded in a timeline."""
        super().__init__("claims", end_seconds=_END_SECONDS, threads=_AT_ONCE)
        self.claims: list[Claim] = []
        self._timeline, self._subjects = timeline, subjects
        self._random = random.Random(f"{seed} claims")

    def work(self) -> None:
        """Make one claim after the other."""
        while not self._stop.is_set():
            kind, name = self._random.choice(self._subjects)
            seconds = self._random.choice([0.2, 1, 3, 6])
            began = time.monotonic()
            outcome = self._claim(_stays_well(kind, name), seconds)
            self.claims.append(Claim(kind, name, began, seconds, time.monotonic(), outcome))

    def _claim(self, condition: Condition, seconds: float) -> str:
        try:
            holds(self._timeline, condition, for_=seconds)
        except ConditionNotMetError:
            return FAILED
        except NotObservedError:
            return REFUSED
        return HELD


def judge(claims: Sequence[Claim], writes: Sequence[Write]) -> Judgement:
    """Compare what was claimed with what was done to the objects."""
    result = Judgement(Counter(claim.outcome for claim in claims))
    for claim in claims:
        mine = [write for write in writes if (write.kind, write.name) == (claim.kind, claim.name)]
        lapses = [(bad, mended) for bad, mended in pairwise(mine) if not bad.is_well]
        if claim.outcome == HELD:
            result.extra.append(claim.ended - claim.began - claim.seconds)
            if any(_is_certain(claim, bad, mended) for bad, mended in lapses):
                result.wrong.append(claim)
        elif claim.outcome == FAILED and not any(_is_possible(claim, bad, mended) for bad, mended in lapses):
            if any(claim.began - _LATE_SECONDS < mended.done < claim.began for _, mended in lapses):
                result.late += 1
            else:
                result.groundless.append(claim)
    return result


def _is_certain(claim: Claim, bad: Write, mended: Write) -> bool:
    """Whether the object was not well at some moment of a claim, whenever each write was done exactly."""
    ends = claim.began + claim.seconds
    is_within = claim.began <= bad.sent and mended.done <= ends
    overlaps = bad.done < mended.sent and bad.done <= ends and mended.sent >= claim.began
    return is_within or overlaps


def _is_possible(claim: Claim, bad: Write, mended: Write) -> bool:
    return bad.sent <= claim.ended and mended.done >= claim.began


def _stays_well(kind: Kind, name: str) -> Condition:
    def check(state: State) -> Assessment:
        return (met if is_well(state, kind, name) else pending)(f"{name}")

    return Condition(f"{name} well", check)
