"""Cases after public reports, each a repro file: what is known of it is still so on this version.

A bug of upstream's is asserted as what happens, so that its test turns red when it is mended: see `known` in
the files. A file that says nothing of this version, because what it shows takes luck, has no test here; its
runs are on docs/regressions.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.addons.components import all_recipes
from fixtures.core.progress import Phases
from fixtures.environment.environment import Environment
from fixtures.plugin.factories import Report
from fixtures.repro.reader import read_case
from fixtures.repro.repro import run_in
from fixtures.repro.shown import as_text

_PINS = all_recipes().pins


def _is_known(file: Path) -> bool:
    known = read_case(file).known
    return known is not None and known.covers(_PINS[known.component].version)


_CASES = [file for file in sorted(Path(__file__).parent.glob("*.yaml")) if _is_known(file)]


@pytest.mark.e2e
@pytest.mark.parametrize("file", _CASES, ids=lambda file: file.stem)
def test_what_is_known_of_a_case_is_still_so(
    file: Path, environment: Environment, output_folder: Path, numbers: Report
) -> None:
    result = run_in(environment, read_case(file), output_folder / "cases", Phases())

    numbers(verdict=result.verdict.value, **{name: round(each, 1) for name, each in result.seconds.items()})
    assert result.is_as_known, as_text(result)
