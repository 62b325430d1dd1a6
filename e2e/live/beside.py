"""Runs the demo with its page open in Chromium, and without it, in turn, and shows the figures of both.

python -m e2e.live.beside figures.jsonl --turns 1
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from e2e.browser import NAMES, Browser, find
from fixtures.cli.tables import print_table, table
from fixtures.core.errors import FiredampError
from fixtures.core.terminal import say
from fixtures.demo.demo import CRASH, ERRORS, run_demo
from fixtures.environment.environment import Options
from fixtures.judge.release.release import Release, release_of
from fixtures.live.running import served_beside
from fixtures.timeline.recording import load
from fixtures.trial.trial import ACTIVE, RATE
from loadgen.queries import late, latency_ms, percentile
from loadgen.report import InvalidLoadError

WITH, WITHOUT = "with the page", "without it"
# How late each answer is: in the frame after the one in which the page draws the message that has it.
_PROBE = """(() => {
  const parse = JSON.parse, delays = window.delays = [];
  JSON.parse = (text) => {
    const told = parse(text);
    const answers = told.reset ? [] : Object.values(told.streams ?? {}).flatMap((stream) => stream.answers);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const [, sent, , , , , latency] of answers) delays.push(Date.now() - 1000 * sent - latency);
    }));
    return told;
  };
})()"""

Figures = dict[str, float]


def main() -> None:
    """Run as many turns as the command line says, and show the figures of all turns that the file has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="gets a line of JSON for each demo")
    parser.add_argument("--turns", type=int, default=3, help="how often")
    chosen = parser.parse_args()
    program = find()
    if program is None:
        raise FiredampError(f"no browser: none of {', '.join(NAMES)} is installed")
    for turn in range(chosen.turns):
        for side in (WITH, WITHOUT) if turn % 2 else (WITHOUT, WITH):
            try:
                figures = _measured(program if side == WITH else "")
            except InvalidLoadError as error:
                say(f"{side}: refused, as its load was late: {error}")
                figures = {}
            with chosen.file.open("a") as file:
                file.write(f"{json.dumps([side, figures])}\n")
    _show([json.loads(line) for line in chosen.file.read_text().splitlines()])


def _measured(program: str) -> Figures:
    """Run the demo; with a browser, have it show the page meanwhile."""
    with TemporaryDirectory(prefix="firedamp-beside-", ignore_cleanup_errors=True) as place:
        out = Path(place) / "demo"
        if not program:
            run_demo(out, Options())
            return _of_clients(out)
        with _shown(program, Path(place), out) as figures:
            run_demo(out, Options())
        return _of_clients(out) | figures


@contextmanager
def _shown(program: str, place: Path, out: Path) -> Iterator[Figures]:
    """Show the page while the block runs; afterwards, the figures say what it took, and how late it was."""
    figures: Figures = {}
    harness = psutil.Process()
    others = harness.children(recursive=True)
    with served_beside([out]) as address:
        (server,) = (each for each in harness.children() if each not in others)
        with Browser(program, place / "browser") as page:
            page.open(address)
            page.evaluate(_PROBE)
            browser = [each for each in harness.children(recursive=True) if each not in (*others, server)]
            before = _cpu([server]), _cpu(browser)
            yield figures
            used = _cpu([server]) - before[0], _cpu(browser) - before[1]
            delays = page.evaluate("window.delays")
            assert isinstance(delays, list)
            # Answers come for about a minute; before that, there is nothing to follow or to draw.
            seconds = len(delays) / RATE
            figures |= {
                "page: answers drawn": len(delays),
                "page: delay, median, ms": percentile(delays, 0.5),
                "page: delay, p95, ms": percentile(delays, 0.95),
                "page: server, % of a core": 100 * used[0] / seconds,
                "page: Chromium, % of a core": 100 * used[1] / seconds,
            }


def _of_clients(out: Path) -> Figures:
    records = load(out)
    sent = records.requests
    crash, errors = (release_of(records, version=each, stream=ACTIVE) for each in (CRASH, ERRORS))
    return {
        "requests": len(sent),
        "processes that want a processor": os.getloadavg()[0],
        "latency, median, ms": latency_ms(sent, 0.5),
        "latency, p99, ms": latency_ms(sent, 0.99),
        "sent late": len(late(sent)),
        "load generator, most of a core, %": 100 * max(crash.cpu or 0, errors.cpu or 0),
        f"{CRASH}: answers": crash.served.k,
        f"{CRASH}: deploy to abort, s": _between(crash, "deployed", "aborted"),
        f"{ERRORS}: bad answers": errors.bad.k,
        f"{ERRORS}: deploy to first answer, s": _between(errors, "deployed", "first_response"),
        f"{ERRORS}: first bad answer to abort, s": _between(errors, "first_bad", "aborted"),
        f"{ERRORS}: weight 0 to last answer, s": _between(errors, "withdrawn", "last_response"),
    }


def _between(release: Release, first: str, last: str) -> float:
    since, until = getattr(release.milestones, first), getattr(release.milestones, last)
    return float(until - since)


def _cpu(processes: Sequence[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes if each.is_running()]
    return float(sum(each.user + each.system for each in times))


def _show(measured: Sequence[tuple[str, Figures]]) -> None:
    sides = {side: [figures for name, figures in measured if name == side] for side in (WITHOUT, WITH)}
    rows = [
        [name, *(_spread([each[name] for each in figures if name in each]) for figures in sides.values())]
        for name in dict.fromkeys(name for _, figures in measured for name in figures)
    ]
    rows.append(["refused, as the load was late", *(str(figures.count({})) for figures in sides.values())])
    heads = [f"{side}, {len(figures)} times".upper() for side, figures in sides.items()]
    print_table(table(("WHAT", *heads), rows, title="median, least and most"))


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    middle, least, most = (f"{value:.4g}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least} to {most})"


if __name__ == "__main__":
    main()
