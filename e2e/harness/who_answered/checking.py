"""Compares who answered while an app is released and its pods end, until there are enough answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from e2e.harness.who_answered.agreement import Agreement, compare
from e2e.harness.who_answered.walk import WALKS
from fixtures.trial.trial import Trial


@dataclass(frozen=True)
class Result:
    """What was compared.

    Attributes:
        agreement: What the comparison of all answers found.
        done: What was done to the app, and how often.
    """

    agreement: Agreement
    done: Counter[str]

    def __str__(self) -> str:
        found = self.agreement
        done = ", ".join(f"{count} x {what}" for what, count in self.done.items())
        return (
            f"{found.agreeing:,} answers of {len(found.pods)} pods in {len(found.versions)} versions agree, "
            f"{len(found.differing):,} differ, {len(found.unknown):,} are of unknown pods; {done}"
        )


def check(app: Trial, strategy: str, *, answers: int, rate: float) -> Result:
    """Walk through releases under traffic until there are so many answers, and compare all of them.

    Args:
        app: A trial that has begun.
        strategy: Its strategy: `canary` or `bluegreen`.
        answers: The least number of answers of the app; each walk is done once at least, in any case.
        rate: Requests per second, to the app and, with blue-green, as many to its preview.
    """
    done = Counter[str]()
    preview = rate if strategy == "bluegreen" else None
    with app.traffic(rate, preview_rate=preview):
        for what in WALKS[strategy](app):
            done[what] += 1
            is_through = max(done.values()) > 1
            if is_through and len(app.records().requests) >= answers:
                break
    return Result(compare(app.records().requests), done)
