"""The page has the published results, and the simulation of today agrees with the latest ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from e2e.analysis.prediction.configurations import CONFIGURATIONS, predictions
from e2e.analysis.prediction.page import page, predicted_today, together
from e2e.analysis.prediction.releases import FAILING
from e2e.analysis.prediction.results import ALPHA, Cell, Release, Results, cells, read
from loadgen.statistics import Share

DOCS = Path(__file__).parents[3] / "docs"
RELEASES = read(DOCS / "prediction.jsonl")
TODAY = {name: predictions(name, tuple(FAILING.values())) for name in CONFIGURATIONS}
CELLS = predicted_today(RELEASES, TODAY)


def test_each_configuration_was_released_often_enough_with_each_version() -> None:
    released = {(each.configuration, each.share): each.aborted.n for each in CELLS}
    assert set(released) == {(name, share) for name in CONFIGURATIONS for share in FAILING.values()}
    assert min(released.values()) >= 10


def test_the_page_is_that_of_the_results() -> None:
    assert (DOCS / "prediction.md").read_text() == page(RELEASES, TODAY), "make it again: see the page"


def test_the_simulation_of_today_agrees_with_the_releases() -> None:
    assert not [each for each in CELLS if not each.agrees]
    predicted, aborted, deviation = together(CELLS)
    assert abs(predicted - aborted) <= 2.6 * deviation


def test_releases_by_which_the_simulation_was_mended_are_not_evidence_for_it() -> None:
    first = cells([each for each in RELEASES if each.batch == 1])
    mended = [(each.configuration, each.share) for each in first if not each.agrees]
    assert len(mended) == 4
    counted = {(each.configuration, each.share): each.aborted.n for each in CELLS}
    later = Counter((each.configuration, each.share) for each in RELEASES if each.batch > 1)
    assert all(counted[key] == later[key] for key in mended)


def test_some_predictions_are_neither_always_nor_never() -> None:
    """Otherwise a simulation that only knows yes and no would agree as well."""
    assert len([each for each in CELLS if 0.1 < each.predicted < 0.9]) >= 5


@pytest.mark.parametrize(("aborted", "agrees"), [(10, False), (5, True), (0, False)])
def test_a_prediction_differs_if_chance_does_not_explain_what_was_seen(aborted: int, *, agrees: bool) -> None:
    cell = Cell("step", 0.05, 0.5, Share(aborted, 10, ALPHA))
    assert cell.agrees is agrees
    text = page([_release(aborted=index < aborted) for index in range(10)], {"step": {0.05: 0.5}})
    assert ("**differs**" in text) is not agrees


def test_results_are_appended_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = Results(path)
    first.add(_release(aborted=True))
    first.add(_release(aborted=False))
    again = Results(path)
    assert again.releases == first.releases
    assert again.count(1, "step", "1.2-5xx-5") == 2
    assert again.count(2, "step", "1.2-5xx-5") == 0


def _release(*, aborted: bool) -> Release:
    return Release(
        batch=1,
        configuration="step",
        version="1.2-5xx-5",
        share=0.05,
        aborted=aborted,
        seconds=12.0,
        requests=80,
        failures=4,
        first_request=0.2,
        measurements=(),
        predicted=0.5,
    )
