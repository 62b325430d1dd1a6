"""Shows the results of the mutation check, on a terminal and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from e2e.mutations.faults import by_name
from e2e.mutations.plugin import NONE
from e2e.mutations.row_run import RowRun

_LONGEST = 160
_HEAD = """\
# The mutation check

A test that cannot fail proves nothing. Each fault below was planted on purpose, and the row that should see
it was run. `make mutations` does it again; this page is what it wrote.

- **controller**: Argo Rollouts, built from a changed copy of its module (`e2e/mutations/controller.toml`).
- **manifests**, **harness**: see `e2e/mutations/in_manifests.py` and `in_harness.py`.
- The control: the same rows with the same controller and no fault switched on.
"""


def table(runs: Sequence[RowRun]) -> str:
    """One line for each run, and a line that counts the runs with the right result."""
    lines = [f"{each.fault:38} {each.status.value:20} {_short(each.row)}" for each in runs]
    good = sum(each.is_as_it_should for each in runs)
    return "\n".join([*lines, f"{good} of {len(runs)} as they should be"])


def page(runs: Sequence[RowRun]) -> str:
    """The page of all results, in Markdown."""
    faults = [each for each in runs if each.fault != NONE]
    control = [each for each in runs if each.fault == NONE]
    caught = sum(each.is_as_it_should for each in faults)
    green = sum(each.is_as_it_should for each in control)
    lines = [
        _HEAD,
        f"{caught} of {len(faults)} faults were caught; {green} of {len(control)} rows are green without.\n",
        "| fault | planted in | what is wrong | row | | what it said |",
        "|---|---|---|---|---|---|",
    ]
    for each in faults:
        fault = by_name(each.fault)
        cells = (fault.name, fault.where, fault.what, _short(each.row), each.status.value, _cell(each.why))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| control | | s |", "|---|---|---|"]
    lines += [f"| {_short(each.row)} | {each.status.value} | {each.seconds:.0f} |" for each in control]
    return "\n".join(lines) + "\n"


def _short(row: str) -> str:
    return row.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:_LONGEST]
