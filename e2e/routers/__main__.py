"""How soon weights apply behind a router: `python -m e2e.routers ROUTER [--times N] [--reuse NAME]`.

A release is stepped to 5%, aborted and tried again, again and again. For each event it prints a line of the
table in docs/routers.md, made of all runs whose records are in the folder.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct, ValidationError, convert

from e2e.variants import aborted_pods_stay, canary_steps, combined, without_analysis
from fixtures.conditions.conditions import weight_is
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.documents.record_lines import add_record, read_records
from fixtures.core.errors import FiredampError
from fixtures.core.folders import absolute, output_folder
from fixtures.core.terminal import say
from fixtures.environment.environment import Environment, Options, start
from fixtures.judge.convergence import changes, convergence
from fixtures.judge.verdicts import requests
from fixtures.timeline.recording import Recording
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE
from loadgen.report import InvalidLoadError

# Clients that get 5% of it see a change within a quarter of a second; more would be late on a busy machine.
_RATE = 80.0
_WEIGHT = 5
# Longer than any router seen here takes to apply a weight.
_SEEN_SECONDS = 6
_MOST_TIMES = 100
_TIMES_IN_ONE = 3
_RECORDS, _TRIAL = "took.jsonl", "trial"
_VARIANT = combined(canary_steps(_WEIGHT, None), without_analysis, aborted_pods_stay(0))


class Took(Struct, frozen=True):
    """How long one change of weights took to apply.

    Attributes:
        router: The router.
        event: `step to 5%` or `abort`.
        seconds: From the change of the object until clients were served by it; None if that was not seen.
    """

    router: str
    event: str
    seconds: float | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run releases, print the table, and return the exit code: 1 if an event was never seen."""
    parser = Arguments(prog="python -m e2e.routers", description=__doc__)
    parser.add_argument("router", help="istio, nginx or traefik")
    parser.add_argument(
        "--times", type=whole_number(1, _MOST_TIMES), default=30, help="how often each event happens"
    )
    parser.add_argument("--reuse", default="", help="a running cluster of this name; by default a new one")
    parser.add_argument("--out", default="firedamp-out/routers", help="folder of the records")
    options = parser.parse_args(arguments)
    out = absolute(output_folder(options.out, "--out"), "--out") / options.router
    environment = start(Options(reuse=options.reuse, routers=(options.router,)))
    try:
        for times in _releases(options.times):
            try:
                records = _release(environment, options.router, times, out)
            except InvalidLoadError as error:
                # It says nothing about the router, and nothing against the other releases.
                say(f"{options.router}: a release does not count: {error.message}")
                continue
            for each in _took(records, options.router):
                add_record(each, out / _RECORDS)
    finally:
        environment.cluster.stop()
    seen = read_records(out / _RECORDS, _read)
    by_event = {event: [each.seconds for each in seen if each.event == event] for event in _EVENTS}
    say("\n".join(_line(options.router, event, seconds) for event, seconds in by_event.items()))
    return int(not all(by_event.values()))


_EVENTS = (f"step to {_WEIGHT}%", "abort")


def _read(line: dict[str, object], where: str) -> Took:
    try:
        return convert(line, Took)
    except ValidationError as error:
        raise FiredampError(f"{where}: {error}", hint="remove the file, or name another folder") from error


def _releases(times: int) -> list[int]:
    """How often the events happen in each release, as a load does not last longer."""
    whole, rest = divmod(times, _TIMES_IN_ONE)
    return [_TIMES_IN_ONE] * whole + [rest] * bool(rest)


def _release(environment: Environment, router: str, times: int, out: Path) -> Recording:
    shutil.rmtree(out / _TRIAL, ignore_errors=True)
    with sample_trial(environment, "canary", out / _TRIAL, router=router, variant=_VARIANT) as app:
        with app.traffic(_RATE):
            app.deploy("1.1")
            for time in range(times):
                if time:
                    app.retry()
                app.wait(weight_is(_WEIGHT), within=60)
                app.holds(weight_is(_WEIGHT), for_=_SEEN_SECONDS)
                app.abort()
                app.wait(weight_is(0), within=60)
                app.holds(weight_is(0), for_=_SEEN_SECONDS)
        return app.records()


def _took(records: Recording, router: str) -> list[Took]:
    sent = requests(records, ACTIVE)
    return [
        Took(router, _EVENTS[len(each.after) == 1], convergence(each, sent))
        for each in changes(records, stream=ACTIVE)
    ]


def _line(router: str, event: str, seconds: Sequence[float | None]) -> str:
    """A line of the table in docs/routers.md: router, event, how often, median and 99th percentile."""
    seen = [each for each in seconds if each is not None]
    if not seen:
        return f"| {router} | {event} | 0 of {len(seconds)} | not seen | not seen |"
    median, p99 = statistics.median(seen), float(np.percentile(seen, 99))
    return f"| {router} | {event} | {len(seen)} of {len(seconds)} | {median:.2f} s | {p99:.2f} s |"


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
