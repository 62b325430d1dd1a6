"""Compares who answered while an app is released and its pods end, until there are enough answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from e2e.harness.who_answered.agreement import Agreement, compare
from e2e.harness.who_answered.walk import WALKS
from fixtures.trial.trial import Trial

_Arguments = ParamSpec("_Arguments")
_Trial = TypeVar("_Trial", bound=Trial)


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
        agreement = self.agreement
        done = ", ".join(f"{count} x {what}" for what, count in self.done.items())
        return (
            f"{agreement.agreeing:,} answers of {len(agreement.pods)} pods "
            f"in {len(agreement.versions)} versions agree, "
            f"{len(agreement.differing):,} differ, {len(agreement.unknown):,} are of unknown pods; {done}"
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
            if is_through and len(app.records().requests.answered) >= answers:
                break
    return Result(compare(app.records().requests), done)


@contextmanager
def compared(begin: Callable[_Arguments, _Trial]) -> Iterator[Callable[_Arguments, _Trial]]:
    """Compare, at the end of the `with` block, all answers of the trials that were begun in it.

    Args:
        begin: Begins a trial; the block gets a function that does the same.

    Raises:
        AssertionError: An answer names another pod or version than its recording.
    """
    begun = list[_Trial]()

    def begin_compared(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Trial:
        begun.append(begin(*args, **options))
        return begun[-1]

    yield begin_compared
    for trial in begun:
        compare(trial.timeline.recording().requests).require()
