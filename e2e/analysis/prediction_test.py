"""Predictions for the configurations that are released, and when they agree with what was seen."""

from __future__ import annotations

import pytest

from e2e.analysis.prediction import CONFIGURATIONS, FAILING, Row, app_of, predicted
from loadgen.statistics import Share


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_each_configuration_has_predictions(name: str) -> None:
    shares = [predicted(app_of(name), share) for share in FAILING.values()]
    assert all(0 <= each <= 1 for each in shares)
    # More failures are caught more often.
    assert shares == sorted(shares, reverse=True)


def test_some_predictions_are_neither_always_nor_never() -> None:
    """Otherwise a simulation that only knows yes and no would agree as well."""
    probabilities = [predicted(app_of(name), share) for name in CONFIGURATIONS for share in FAILING.values()]
    assert any(0.1 < each < 0.9 for each in probabilities), probabilities


@pytest.mark.parametrize(("aborted", "agrees"), [(10, False), (5, True), (0, False)])
def test_a_prediction_agrees_if_it_is_within_the_interval(aborted: int, *, agrees: bool) -> None:
    row = Row("step", "1.2-5xx-5", 0.5, Share(aborted, 10, 0.01))
    assert row.agrees is agrees
    assert str(row).endswith("agrees" if agrees else "differs")
