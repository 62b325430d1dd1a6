"""Runs one cell of the matrix: a release with a fault at one moment, judged by the invariants."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from pathlib import Path

from e2e.faults.cells import Cell
from e2e.faults.kinds import FAULT_KINDS
from e2e.faults.moments import MOMENTS, NEW, Moment
from e2e.faults.records import HOLDS, KNOWN, UNKNOWN, VIOLATED, CellRecord
from e2e.faults.strategies import STRATEGIES
from fixtures.conditions.conditions import aborted
from fixtures.conditions.expectation import ConditionStatus
from fixtures.core.errors import ConditionNotMetError, FiredampError
from fixtures.environment.environment import Environment
from fixtures.judge.invariants.declared import Faults
from fixtures.judge.invariants.invariant import Outcome, Verdict
from fixtures.judge.invariants.judge import judge
from fixtures.judge.invariants.withdrawn import LIMIT_S
from fixtures.judge.verdicts import Window, assert_exactly_none
from fixtures.timeline.recording import Recording, load
from fixtures.timeline.state import State
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE, Trial

# Requests per second: 1,000 answers, which a verdict on shares takes, in less than the last seconds.
_RATE = 150.0
_PREVIEW_RATE = 30.0
# From the end of the fault on: 6 s in which the data plane may still follow it, and 1,000 answers.
_LAST_SECONDS = 14.0
# From the end of the release on: convergence, and 1,000 answers.
_ENDED_SECONDS = 8.0
# Seconds from the end of a fault in which the release must have ended. A revision needs the pauses of the
# strategy, new pods twice, and the scale-down delay; an analysis needs its measurements.
RECOVERED_SECONDS = 45.0
_LATE = "not recovered"
# What is decided only if the data plane was seen after the fault.
_DECIDING = "shares"


def run_cell(environment: Environment, cell: Cell, folder: Path) -> CellRecord:
    """Run a cell in a namespace of its own, and return what it came to.

    Args:
        environment: The cluster.
        cell: The cell.
        folder: An empty folder for the recording.
    """
    moment, strategy, kind = MOMENTS[cell.moment], STRATEGIES[cell.strategy], FAULT_KINDS[cell.fault]
    variant = strategy.with_analysis if cell.moment == "analysis" else strategy.variant
    # Before a blue-green promotion only clients of the preview give an analysis anything to measure.
    preview = _PREVIEW_RATE if cell.moment == "analysis" and strategy.others else None
    late: list[str] = []
    recovered, app = None, None
    try:
        # What the report of a trial shows is not looked at here, and takes longer than the judge.
        with (
            sample_trial(environment, strategy.base, folder, variant=variant, later=lambda _: None) as app,
            app.traffic(_RATE, preview_rate=preview),
        ):
            with moment.held(app, strategy):
                moment.reach(app, strategy)
                with kind.begin(app):
                    # How long the fault lasts is part of it.
                    time.sleep(kind.seconds)
            over = app.timeline.clock()
            late = _gone_on(app, moment, cell)
            recovered = max(app.timeline.clock() - over, 0)
            # Requests for a verdict on what clients get in the end.
            time.sleep(max(_ENDED_SECONDS, over + _LAST_SECONDS - app.timeline.clock()))
    except FiredampError as error:
        return _unknown(cell, [f"{type(error).__name__}: {error.message.splitlines()[0][:300]}"])
    version = environment.stack.settings.pins["rollouts"].version
    return _concluded(version, cell, app.records(), late, None if late else recovered)


def judged_again(before: CellRecord, folder: Path) -> CellRecord:
    """Return what a cell that ran comes to by the invariants as they are now.

    Args:
        before: Its record; whether the release ended in time stays as it is there.
        folder: The folder of its recording.

    Raises:
        FiredampError: There is no recording, or it cannot be read.
    """
    late = [each for each in before.reasons if each.startswith(_LATE)]
    return _concluded(before.rollouts, before.cell, load(folder), late, before.recovered)


def _gone_on(app: Trial, moment: Moment, cell: Cell) -> list[str]:
    """Have the release go on; return why it did not end in time, if so."""
    strategy = STRATEGIES[cell.strategy]
    try:
        moment.go_on(app, strategy)
        app.wait(moment.ends(strategy), within=RECOVERED_SECONDS)
    except ConditionNotMetError as error:
        return [f"{_LATE} within {RECOVERED_SECONDS:g} s: {error.message.splitlines()[0][:300]}"]
    return []


def _concluded(
    rollouts: str, cell: Cell, records: Recording, late: list[str], recovered: float | None
) -> CellRecord:
    verdicts = judge(records)
    held = [each.invariant.name for each in verdicts if each.outcome is Outcome.HOLDS]
    fault = Faults(records).declared[-1]
    unknown = _unseen(cell, records, fault.start, verdicts)
    violated = [*late, *_violations(verdicts, Outcome.VIOLATED, is_sure=True)]
    known = _violations(verdicts, Outcome.KNOWN)
    verdict = VIOLATED if violated else UNKNOWN if unknown else KNOWN if known else HOLDS
    state = State(records.others)
    is_aborted = aborted(version=NEW).check(state).status is ConditionStatus.MET
    return CellRecord(
        fault=cell.fault,
        moment=cell.moment,
        strategy=cell.strategy,
        verdict=verdict,
        reasons=[*violated, *unknown, *known],
        held=held,
        doubts=_violations(verdicts, Outcome.VIOLATED, is_sure=False),
        ending="" if late else "aborted" if is_aborted else "promoted",
        fault_seconds=round(fault.end - fault.start, 2),
        recovered=None if recovered is None else round(recovered, 2),
        sent=len(records.requests),
        failed=int(records.requests.failed.sum()),
        rollouts=rollouts,
        at=_now(),
    )


def _unseen(cell: Cell, records: Recording, began: float, verdicts: list[Verdict]) -> list[str]:
    """Why the recording proves nothing about the cell, if so."""
    moment, strategy = MOMENTS[cell.moment], STRATEGIES[cell.strategy]
    before = State([each for each in records.others if each.t <= began])
    now = moment.is_now(strategy).check(before)
    missed = (
        ""
        if now.status is ConditionStatus.MET
        else f"the moment was over when the fault began: {now.message}"
    )
    return [reason for reason in (missed, _undecided(records, verdicts)) if reason]


def _undecided(records: Recording, verdicts: list[Verdict]) -> str:
    """Why it is not known what clients got; "" if it is."""
    (shares,) = [each for each in verdicts if each.invariant.name == _DECIDING]
    if shares.outcome in {Outcome.HOLDS, Outcome.VIOLATED, Outcome.KNOWN}:
        return ""
    reasons = "; ".join(shares.undecided)
    if not reasons:
        # After an abort no weight changes any more, or too soon for a window before the fault.
        since = Window(Faults(records).declared[-1].end + LIMIT_S, math.inf)
        try:
            assert_exactly_none(records, stream=ACTIVE, version=NEW, window=since)
        except FiredampError as error:
            reasons = error.message.splitlines()[0]
        else:
            return ""
    return f"what clients got was not decided: {reasons}"


def _violations(verdicts: list[Verdict], outcome: Outcome, *, is_sure: bool | None = None) -> list[str]:
    return [
        f"{verdict.invariant.name}: {violation.text}" + (f" [{violation.known}]" if violation.known else "")
        for verdict in verdicts
        if verdict.outcome is outcome and is_sure in (None, verdict.invariant.is_sure)
        for violation in verdict.violations[:1]
    ]


def _unknown(cell: Cell, reasons: list[str]) -> CellRecord:
    return CellRecord(
        fault=cell.fault,
        moment=cell.moment,
        strategy=cell.strategy,
        verdict=UNKNOWN,
        reasons=reasons,
        at=_now(),
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
