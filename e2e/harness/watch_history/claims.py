"""Asks `holds` all the time whether an object stays well, and judges whether its answers were true."""

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
# How late a lapse may be delivered: a connection can be half open until its request times out, and the server
# may be away before and after that.
_LATE_SECONDS = 40


@dataclass(frozen=True)
class Claim:
    """One call of `holds`: the claim that an object stays well for some seconds.

    Attributes:
        kind: The kind of the object.
        name: The name of the object.
        began: When `holds` was called, in monotonic seconds.
        seconds: For how long the object had to stay well.
        ended: When `holds` returned, in monotonic seconds.
        outcome: HELD, FAILED or REFUSED.
    """

    kind: Kind
    name: str
    began: float
    seconds: float
    ended: float
    outcome: str


@dataclass
class Judgement:
    """Whether the outcomes of the claims were right.

    Attributes:
        outcomes: How many claims held, failed, and were refused.
        wrong: Claims that held although the object was certainly not well at some moment.
        groundless: Claims that failed although the object was certainly well all the time.
        late: How many claims failed because an earlier lapse was delivered late.
        extra: For each claim that held, the seconds that `holds` took longer than it had to.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[Claim] = field(default_factory=list)
    groundless: list[Claim] = field(default_factory=list)
    late: int = 0
    extra: list[float] = field(default_factory=list)


class Claimant(Background):
    """Makes claims in threads while its block runs.

    Attributes:
        claims: All claims with their outcomes.
    """

    def __init__(self, timeline: Timeline, subjects: Sequence[tuple[Kind, str]], *, seed: int) -> None:
        """Make claims about `subjects`, which are recorded in a timeline."""
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
    """Compare the outcomes of the claims with what was done to the objects."""
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
    """Whether the object was certainly not well at some moment of a claim.

    Each write was done at an unknown moment between `sent` and `done`.
    """
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
