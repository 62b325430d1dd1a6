from __future__ import annotations

import math

import numpy as np
import pytest

from fixtures.core.errors import FiredampError
from loadgen.anytime import (
    LimitWatch,
    ShareWatch,
    anytime_interval,
    log_evidence_above,
    log_evidence_against,
)
from loadgen.statistics import exact_interval

RUNS, LOOKS, BATCH = 400, 60, 20


def counts(share: float, seed: int) -> list[list[int]]:
    drawn: list[list[int]] = np.random.default_rng(seed).binomial(BATCH, share, size=(RUNS, LOOKS)).tolist()
    return drawn


@pytest.mark.parametrize("weight", [0.05, 0.5])
def test_a_true_weight_is_seldom_contradicted_however_often_one_looks(weight: float) -> None:
    alarms = repeated = 0
    for run in counts(weight, seed=3):
        watch = ShareWatch(weight, alpha=0.05)
        alarms += not all(watch.add(k, BATCH) for k in run)
        n = np.arange(1, LOOKS + 1) * BATCH
        z = (np.cumsum(run) - n * weight) / np.sqrt(n * weight * (1 - weight))
        repeated += bool(np.any(np.abs(z) > 1.96))
    assert alarms <= 0.05 * RUNS
    # The reason for all this: an interval for one look, looked at again and again, is wrong far more often.
    assert repeated > 0.10 * RUNS


def test_the_evidence_is_a_martingale_that_starts_at_1() -> None:
    # Ville's inequality rests on this: under the true share, the expected score after n is 1, exactly.
    for n in (1, 7, 50):
        scores = [
            math.comb(n, k) * 0.3**k * 0.7 ** (n - k) * math.exp(log_evidence_against(0.3, k, n))
            for k in range(n + 1)
        ]
        assert sum(scores) == pytest.approx(1)
        above = [
            math.comb(n, k) * 0.3**k * 0.7 ** (n - k) * math.exp(log_evidence_above(0.3, k, n))
            for k in range(n + 1)
        ]
        assert sum(above) == pytest.approx(1)


def test_the_evidence_is_robbins_mixture() -> None:
    # Robbins 1970: P(binomial pmf <= alpha / (n + 1) at any n) <= alpha.
    n, k, p = 40, 9, 0.05
    pmf = math.comb(n, k) * p**k * (1 - p) ** (n - k)
    assert math.exp(log_evidence_against(p, k, n)) == pytest.approx(1 / ((n + 1) * pmf))


@pytest.mark.parametrize(
    ("claimed", "true", "within"), [(0.05, 0.10, 1500), (0.05, 0.0, 400), (0.5, 0.6, 1200)]
)
def test_a_wrong_weight_is_contradicted_soon(claimed: float, true: float, within: int) -> None:
    draws = np.random.default_rng(5).random((50, within)) < true
    contradicted = 0
    for run in draws.tolist():
        watch = ShareWatch(claimed)
        contradicted += not all(watch.add(int(hit), 1) for hit in run)
    assert contradicted >= 45


def test_a_contradiction_stands() -> None:
    watch = ShareWatch(0.05)
    assert not watch.add(50, 50)
    assert not watch.add(0, 950)
    assert "contradicts 5.0%" in str(watch)


@pytest.mark.parametrize("true", [0.005, 0.02])
def test_a_share_within_the_limit_is_seldom_called_too_high(true: float) -> None:
    alarms = 0
    for run in counts(true, seed=9):
        watch = LimitWatch(0.02, alpha=0.05)
        alarms += any(watch.add(k, BATCH) for k in run)
    assert alarms <= 0.05 * RUNS


def test_a_share_above_the_limit_is_found() -> None:
    watch = LimitWatch(0.01)
    assert not watch.add(1, 100)
    assert watch.add(20, 200)
    assert str(watch) == "7.0% (n=300) exceeds the limit of 1.0%"


def test_a_limit_of_0_allows_none_and_no_share_is_far_below_a_limit() -> None:
    assert LimitWatch(0).add(1, 1_000_000)
    assert not LimitWatch(0).add(0, 1_000_000)
    assert not LimitWatch(0.5).add(0, 100_000)


@pytest.mark.parametrize(("weight", "k"), [(0.0, 1), (1.0, 99)])
def test_weights_0_and_100_percent_allow_no_exception(weight: float, k: int) -> None:
    assert ShareWatch(weight).add(round(weight * 100), 100)
    assert not ShareWatch(weight).add(k, 100)


@pytest.mark.parametrize(("k", "n"), [(0, 100), (5, 100), (100, 100), (90, 1800)])
def test_the_confidence_sequence_is_what_is_not_contradicted(k: int, n: int) -> None:
    low, high = anytime_interval(k, n)
    fixed = exact_interval(k, n)
    assert low <= fixed.low
    assert fixed.high <= high
    for edge, outwards in ((low, -1e-6), (high, 1e-6)):
        if 0 < edge < 1:
            assert not ShareWatch(edge + outwards).add(k, n)
            assert ShareWatch(edge - outwards).add(k, n)


def test_nothing_seen_excludes_nothing() -> None:
    assert anytime_interval(0, 0) == (0, 1)
    assert str(ShareWatch(0.05)).startswith("no share (n=0)")


def test_nonsense_is_refused() -> None:
    for nonsense in (lambda: ShareWatch(1.1), lambda: LimitWatch(1), lambda: ShareWatch(0.5).add(2, 1)):
        with pytest.raises(FiredampError):
            nonsense()
