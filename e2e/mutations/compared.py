"""Compare a controller with a planted fault with the same one without, by `firedamp compare`.

The command is `python -m e2e.mutations.compared FAULT…`, or `make compared` for all.

Each fault has to be found by `firedamp compare` and named by one of its rows. Ends with 0 if all were.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.mutations import controller
from e2e.mutations.faults import by_name, edits
from e2e.mutations.plugin import NONE
from fixtures.compare import files, words
from fixtures.compare.comparison import Comparison, compare
from fixtures.compare.running import Sessions
from fixtures.compare.selection import selected
from fixtures.compare.sides import Side
from fixtures.core.arguments import Arguments, whole_number
from fixtures.core.boundary import run_command_line
from fixtures.core.folders import absolute, output_folder
from fixtures.core.progress import Phases
from fixtures.core.terminal import say
from fixtures.environment.environment import Options, start
from fixtures.plugin.needs_routers import ON_THE_FIRST

_ROOT = Path(__file__).parents[2]
_5XX = "e2e/canary/test_abort.py::test_a_version_that_answers_5xx_is_aborted_and_gone"
_BY_HAND = (
    "e2e/canary/test_abort_by_hand.py::"
    "test_an_abort_returns_all_clients_and_scales_the_canary_down_after_its_delay[25]"
)
_CRASH = "e2e/canary/test_abort.py::test_a_version_that_crashes_at_boot_never_reaches_a_client"
_GOOD = "e2e/canary/test_promote.py::test_a_good_version_gets_the_share_of_each_step_and_then_everything"
_PREVIEW = "e2e/bluegreen/test_preview.py::test_a_preview_holds_until_it_is_promoted"
_MANIFESTS = "sample_app/manifests/canary"
_PLUGIN = ("-p", "e2e.mutations.plugin", "--fault")
_RUNS = 3


@dataclass(frozen=True)
class Planted:
    """A fault that a comparison has to find.

    Attributes:
        fault: Its name.
        path: What both sides run.
        row: What a row of the comparison has to say: part of its text.
        only: Of manifests, the faults of the app that are released.
    """

    fault: str
    path: str
    row: str
    only: str = ""


PLANTED = (
    Planted("abort-leaves-weight", _5XX, "payments-canary has weight 5"),
    Planted("failed-counts-as-success", _5XX, "1.2-5xx is fully promoted"),
    # Not by the last response of an aborted version: that varies by more than the second that this changes.
    Planted("aborted-canary-ends-at-once", _BY_HAND, "scaled down after"),
    Planted("deadline-does-not-abort", _CRASH, "1.2-crash of payments aborted: not within"),
    Planted("weight-is-more-than-asked", _GOOD, "never claimed all steps"),
    Planted("preview-selects-active", _PREVIEW, "1.1 behind payments-preview"),
    Planted("active-before-promotion", _PREVIEW, "the update is fully promoted"),
    Planted("pause-ends-early", _MANIFESTS, "1.1: deploy to Healthy", only="good"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparisons and return the exit code."""
    names = [each.fault for each in PLANTED]
    parser = Arguments(prog="python -m e2e.mutations.compared", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="only these; all by default")
    parser.add_argument("--runs", type=whole_number(1, 20), default=_RUNS, help="new runs of what differed")
    parser.add_argument("--out", default="firedamp-out/compared", help="folder for results")
    options = parser.parse_args(arguments)
    if unknown := set(options.faults) - set(names):
        parser.error(f"no fault {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    out, phases = absolute(output_folder(options.out, "--out"), "--out"), Phases()
    with phases.phase("controller with all faults built", estimate=60):
        controller.build(edits())
    lines = []
    with two_clusters(phases) as clusters:
        for planted in PLANTED:
            if planted.fault in (options.faults or names):
                began = time.monotonic()
                comparison = compared(planted, clusters, out / planted.fault, options.runs, phases)
                lines.append(line(planted, comparison, time.monotonic() - began))
                say(f"\n{lines[-1]}\n")
    found = sum(each.startswith("found") for each in lines)
    say("\n".join([*lines, f"{found} of {len(lines)} planted faults were found and named"]))
    return 0 if found == len(lines) else 1


@contextmanager
def two_clusters(phases: Phases) -> Iterator[tuple[str, str]]:
    """The names of a cluster for each side. Their controllers are replaced, so that one pair does for all."""
    names = (f"compared-{secrets.token_hex(3)}-a", f"compared-{secrets.token_hex(3)}-b")
    with ExitStack() as running:
        for name in names:
            running.enter_context(start(Options(name=name), phases))
        yield names


def compared(
    planted: Planted, clusters: tuple[str, str], folder: Path, runs: int, phases: Phases
) -> Comparison:
    """Compare the controller without a fault with the same one with the fault, and write the results."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    without, with_fault = (
        Side(letter, {}, f"a controller with {words}", (*_PLUGIN, fault, f"--reuse={cluster}"))
        for (letter, words, fault), cluster in zip(
            (("A", "no fault", NONE), ("B", planted.fault, planted.fault)), clusters, strict=True
        )
    )
    path = f"{_ROOT}/{planted.path}"
    selection = selected([path], only=planted.only)
    # The clusters have one router, so of a test that runs on each of them only that on the first can run.
    of_a_test = [f"--rootdir={_ROOT}", *ON_THE_FIRST] if "::" in path else []
    where = ["--cluster-provider=native", *of_a_test]
    sessions = Sessions(without, with_fault, folder, where, phases)
    comparison = compare(without, with_fault, selection, runs, sessions.round)
    files.write(comparison, folder)
    return comparison


def line(planted: Planted, comparison: Comparison, seconds: float) -> str:
    """Whether a fault was found and named, and by which row."""
    rows = [" | ".join(row) for row in words.rows(comparison)]
    named = [row for row in rows if planted.row in row]
    what = f"{planted.fault} ({by_name(planted.fault).what}), {seconds / 60:.0f} min"
    if named:
        return f"found: {what}: {named[0]}"
    return f"NOT FOUND: {what}: {'; '.join(rows) or 'no difference'}"


if __name__ == "__main__":
    run_command_line(lambda: sys.exit(main()))
