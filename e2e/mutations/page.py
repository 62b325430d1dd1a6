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
- **judge alone**: what [invariants](invariants.md) and [bounds](measuring.md#bounds) say of the trials of the
  same run, as far as they were recorded when the row ended; it knows nothing of what the row asserts. Known
  violations and invariants in doubt do not count.

Each line is the last run of the row in [mutations.jsonl](mutations.jsonl). A run from before the judge was
asked alone has a `?`.
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
        f"{caught} of {len(faults)} faults were caught; {green} of {len(control)} rows are green without.",
        f"{_alone(faults, control)}\n",
        "| fault | planted in | what is wrong | row | | what it said | judge alone |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in faults:
        fault = by_name(each.fault)
        said = (each.status.value, _cell(each.why), _said(each))
        lines.append(f"| {' | '.join((fault.name, fault.where, fault.what, _short(each.row), *said))} |")
    lines += ["", "| control | | s | judge alone |", "|---|---|---|---|"]
    lines += [
        f"| {_short(each.row)} | {each.status.value} | {each.seconds:.0f} | {_said(each)} |"
        for each in control
    ]
    return "\n".join(lines) + "\n"


def _alone(faults: Sequence[RowRun], control: Sequence[RowRun]) -> str:
    judged = {each.fault for each in faults if each.alone}
    alarms = {each.fault for each in faults if each.alone and each.alone.is_alarm}
    silent = [each for each in control if each.alone]
    false = sum(each.alone.is_alarm for each in silent if each.alone)
    return (
        f"The judge alone caught {len(alarms)} of {len(judged)} faults that it was asked about, of "
        f"{len({each.fault for each in faults})}; without a fault it raised an alarm in {false} of "
        f"{len(silent)} rows."
    )


def _said(run: RowRun) -> str:
    """The names of the invariants that were violated, and the bound that was exceeded."""
    if run.alone is None:
        return "?"
    names = [each.partition(":")[0] for each in run.alone.violated]
    said = [*dict.fromkeys(names), *([f"bound: {run.alone.bound}"] if run.alone.bound else [])]
    of = f" ({run.alone.of})" if run.alone.of else ""
    return _cell(f"{', '.join(said) or 'nothing'}{of}")


def _short(row: str) -> str:
    return row.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:_LONGEST]
