from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from fixtures.core.errors import FiredampError
from fixtures.core.shares import percent
from loadgen.statistics import ALPHA, Share, ZeroCheck, exact_interval, exactly_zero, wilson_interval

# Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, at 95%.
PUBLISHED = {
    (81, 263): ((0.2527, 0.3676), (0.2553, 0.3662)),
    (15, 148): ((0.0578, 0.1617), (0.0624, 0.1605)),
    (0, 20): ((0.0, 0.1684), (0.0, 0.1611)),
    (1, 29): ((0.0009, 0.1776), (0.0061, 0.1718)),
}


@pytest.mark.parametrize("kn", PUBLISHED)
def test_intervals_are_the_published_ones(kn: tuple[int, int]) -> None:
    exact, wilson = PUBLISHED[kn]
    assert exact_interval(*kn, alpha=0.05) == pytest.approx(exact, abs=6e-5)
    assert wilson_interval(*kn, alpha=0.05) == pytest.approx(wilson, abs=6e-5)


@pytest.mark.parametrize("weight", [0.01, 0.05, 0.5, 0.97])
def test_the_exact_interval_covers_at_least_as_often_as_it_says(weight: float) -> None:
    draws = np.random.default_rng(7).binomial(400, weight, size=4000).tolist()
    for alpha in (0.05, 0.01):
        intervals = {k: exact_interval(k, 400, alpha) for k in set(draws)}
        missed = sum(not intervals[k].contains(weight) for k in draws)
        # Three standard errors above the nominal rate of misses.
        assert missed <= 4000 * alpha + 3 * (4000 * alpha) ** 0.5


def test_wilsons_interval_covers_about_as_often_as_it_says_over_many_weights() -> None:
    random = np.random.default_rng(11)
    weights = random.uniform(0.02, 0.98, size=800)
    missed = sum(
        not wilson_interval(int(k), 300, 0.05).contains(weight)
        for weight, k in zip(weights, random.binomial(300, weights), strict=True)
    )
    assert missed / 800 == pytest.approx(0.05, abs=0.02)


def test_a_share_prints_its_n_and_its_interval() -> None:
    assert str(Share(95, 1834)) == "5.2% (n=1,834, 99.99% interval 3.4-7.5%)"


def test_a_share_contains_its_weight_and_not_another() -> None:
    share = Share(95, 1834)
    assert share.contains(0.05)
    assert not share.contains(0.10)


def test_no_requests_are_no_share() -> None:
    assert str(Share(0, 0)) == "no share (n=0)"
    with pytest.raises(FiredampError, match="0 requests"):
        Share(0, 0).contains(0.05)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    for refused in (Share, exactly_zero, exact_interval):
        with pytest.raises(FiredampError, match="not a share"):
            refused(k, n)


def test_zero_of_a_thousand_bounds_the_rate_below_0_92_percent() -> None:
    zero = exactly_zero(0, 1000)
    assert zero
    assert zero.bound == pytest.approx(1 - 1e-4 ** (1 / 1000))
    assert str(zero) == "0 of 1,000, so the true share is below 0.92% (99.99%)"


def test_one_is_not_zero_and_nothing_is_not_zero_either() -> None:
    assert not exactly_zero(1, 1000)
    assert not exactly_zero(0, 0)
    assert "0 of 0" in str(exactly_zero(0, 0))


def test_small_percentages_keep_two_digits() -> None:
    assert [percent(x) for x in (0, 0.00917, 0.052, 1)] == ["0.0", "0.92", "5.2", "100.0"]


def test_a_share_that_is_neither_none_nor_all_is_never_told_as_such() -> None:
    some = [percent(x) for x in (1 / 3000, 1e-7, 2999 / 3000, 1 - 1e-7, 0.9951, 0.9949, 0.0949, 0.9999499)]
    assert some == ["0.033", "0.00001", "99.967", "99.99999", "99.51", "99.49", "9.5", "99.995"]
    for n in (1, 7, 1000, 3000, 999_999, 2**53):
        for k in {0, 1, n // 2, n - 1, n}:
            shown = percent(k / n)
            assert (float(shown) == 0) == (k == 0), (k, n, shown)
            assert (float(shown) == 100) == (k == n), (k, n, shown)
            assert "e" not in shown


def test_an_interval_that_leaves_out_none_and_all_says_so() -> None:
    assert str(exact_interval(2999, 3000)) == "99.58-99.9999983%"


@pytest.mark.parametrize("alpha", [ALPHA, 0.05])
@pytest.mark.parametrize("n", [1, 2, 7, 100, 1834, 250_000])
def test_intervals_are_those_of_scipy_stats(n: int, alpha: float) -> None:
    for k in sorted({0, 1, n // 20, n // 2, n - 1, n}):
        test = binomtest(k, n)
        for interval, method in ((exact_interval, "exact"), (wilson_interval, "wilson")):
            expected = test.proportion_ci(1 - alpha, method=method)
            assert interval(k, n, alpha) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)
        bound = binomtest(k, n, alternative="less").proportion_ci(1 - alpha, method="exact").high
        assert ZeroCheck(k, n, alpha).bound == pytest.approx(bound, rel=1e-9)
