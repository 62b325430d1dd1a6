"""Controls of a rehearsal: its card of a configuration that catches nothing, and of one that catches all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.core.progress import Phases
from fixtures.environment.environment import Environment
from fixtures.plugin.factories import Report
from fixtures.rehearsal.model import Ending, Row
from fixtures.rehearsal.plan import Wishes, planned
from fixtures.rehearsal.releases import Releases, told

_HERE = Path(__file__).parent
# Enough for the analysis at 25%, and little enough for several releases beside other tests.
_RATE, _AT_ONCE = 30.0, 2
_APPS = _HERE.parent / "apps"
_ROUTERS = ("nginx", "traefik")


@pytest.mark.e2e
def test_without_an_analysis_nothing_is_caught_but_what_never_gets_ready(
    environment: Environment, output_folder: Path, numbers: Report
) -> None:
    rows = _rehearsed(
        environment, output_folder, _HERE / "unguarded.yaml", "good,crash,neverready,5xx,5xx:20"
    )

    numbers(**{row.fault.name: told(row) for row in rows})
    assert {row.fault.name: row.caught for row in rows} == {
        "good": False,
        "crash": True,
        "neverready": True,
        "5xx": False,
        "5xx:20": False,
    }
    promoted = [row for row in rows if not row.caught]
    assert {row.ending for row in promoted} == {Ending.PROMOTED}
    for row in promoted:
        assert bool(row.bad) != row.fault.is_good, told(row)


@pytest.mark.e2e
def test_a_configuration_that_asks_for_the_new_version_alone_catches_all(
    environment: Environment, output_folder: Path, numbers: Report
) -> None:
    rows = _rehearsed(environment, output_folder, _HERE / "guarded.yaml", "good,crash,5xx,5xx:20")

    numbers(**{row.fault.name: told(row) for row in rows})
    good, *broken = rows
    assert (good.ending, good.bad) == (Ending.PROMOTED, 0), told(good)
    for row in broken:
        assert (row.ending, row.caught) == (Ending.ABORTED, True), told(row)
        assert row.answered_after is not None
        assert row.requests


@pytest.mark.e2e
@pytest.mark.parametrize("router", [pytest.param(each, marks=pytest.mark.router(each)) for each in _ROUTERS])
def test_releases_behind_another_router_are_caught_by_its_weights(
    environment: Environment, output_folder: Path, numbers: Report, router: str
) -> None:
    good, broken = _rehearsed(environment, output_folder, _APPS / f"behind-{router}", "good,5xx", at_once=0)

    numbers(good=told(good), broken=told(broken))
    assert (good.ending, good.bad) == (Ending.PROMOTED, 0), told(good)
    assert (broken.ending, broken.caught) == (Ending.ABORTED, True), told(broken)
    assert broken.bad, "no client saw the broken version, so nothing was shown"


def _rehearsed(
    environment: Environment, folder: Path, example: Path, only: str, *, at_once: int = _AT_ONCE
) -> Sequence[Row]:
    plan = planned(Wishes(str(example), rate=_RATE, only=only, at_once=at_once))
    with Releases(environment, plan, folder / example.stem, Phases()) as releases:
        return releases.run(plan.faults)
