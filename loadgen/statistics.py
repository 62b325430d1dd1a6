"""Computes shares with confidence intervals, by which observed requests are compared with a weight.

The intervals are valid for one look at a fixed n; see `loadgen.anytime` for repeated looks.

Envoy chooses a destination at random for each request, so the number of requests that one
version gets out of n is binomial: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/traffic_splitting
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

# Not `scipy.stats`, which has these intervals ready to use: importing it takes half a second.
from scipy.special import betaincinv, ndtri

from fixtures.core.errors import FiredampError
from fixtures.core.shares import percent

# One false alarm in 10,000 correct windows, so that a suite with hundreds of windows needs no reruns.
ALPHA = 1e-4


class Interval(NamedTuple):
    """A closed interval of shares, each from 0 to 1."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{percent(self.low)}-{percent(self.high)}%"

    def contains(self, share: float) -> bool:
        """Whether `share` (0 to 1) lies inside."""
        return self.low <= share <= self.high


def exact_interval(k: int, n: int, alpha: float = ALPHA) -> Interval:
    """Return the Clopper-Pearson interval of k of n, which has the true share with probability >= 1 - alpha.

    Source: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404

    Raises:
        FiredampError: There were no observations, or k is not in 0..n.
    """
    _require_share(k, n)
    return Interval(_lower(k, n, alpha / 2), _upper(k, n, alpha / 2))


def wilson_interval(k: int, n: int, alpha: float = ALPHA) -> Interval:
    """Return Wilson's score interval: narrower than the exact one, with a coverage of about 1 - alpha.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953

    Raises:
        FiredampError: There were no observations, or k is not in 0..n.
    """
    _require_share(k, n)
    z = float(ndtri(1 - alpha / 2))
    middle, reach = k + z**2 / 2, z * sqrt(k * (n - k) / n + z**2 / 4)
    return Interval(
        max(0.0, (middle - reach) / (n + z**2)) if k > 0 else 0.0,
        min(1.0, (middle + reach) / (n + z**2)) if k < n else 1.0,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """k of n requests: `5.2% (n=1,834, 99.99% interval 3.4-7.6%)`."""

    k: int
    n: int
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        if not 0 <= self.k <= self.n:
            raise FiredampError(f"{self.k} of {self.n} is not a share")

    def __str__(self) -> str:
        if self.n == 0:
            return "no share (n=0)"
        return f"{percent(self.value)}% (n={self.n:,}, {confidence(self.alpha)} interval {self.interval})"

    @property
    def value(self) -> float:
        """The observed share, 0 to 1. Raises FiredampError for n = 0."""
        if self.n == 0:
            raise FiredampError(
                "no share of 0 requests", hint="check that the load reached this window and stream"
            )
        return self.k / self.n

    @property
    def interval(self) -> Interval:
        """The exact interval at alpha. Raises FiredampError for n = 0."""
        return exact_interval(self.k, self.n, self.alpha)

    def contains(self, weight: float) -> bool:
        """Whether the observations are consistent with `weight` (0 to 1). Raises FiredampError for n = 0."""
        return self.interval.contains(weight)


@dataclass(frozen=True, slots=True)
class ZeroCheck:
    """A check for exactly 0 of n, with its bound: `0 of 1,000, so the true share is below 0.92% (99.99%)`."""

    k: int
    n: int
    alpha: float = ALPHA

    def __bool__(self) -> bool:
        return self.k == 0 and self.n > 0

    def __str__(self) -> str:
        if not self:
            return f"{self.k:,} of {self.n:,} where exactly 0 of at least 1 was expected"
        return (
            f"0 of {self.n:,}, so the true share is below {percent(self.bound)}% ({confidence(self.alpha)})"
        )

    @property
    def bound(self) -> float:
        """The one-sided upper bound of the true share: 1 - alpha^(1/n) for k = 0; 1 without data."""
        if self.n == 0:
            return 1.0
        return _upper(self.k, self.n, self.alpha)


def exactly_zero(k: int, n: int, alpha: float = ALPHA) -> ZeroCheck:
    """Check that k is 0 and n > 0. The result is true or false, and has the upper bound of the true share.

    Raises:
        FiredampError: k is not in 0..n.
    """
    if not 0 <= k <= n:
        raise FiredampError(f"{k} of {n} is not a share")
    return ZeroCheck(k, n, alpha)


def _require_share(k: int, n: int) -> None:
    if n == 0:
        raise FiredampError(
            "no interval from 0 requests", hint="check that the load reached this window and stream"
        )
    if not 0 <= k <= n:
        raise FiredampError(f"{k} of {n} is not a share")


def _lower(k: int, n: int, alpha: float) -> float:
    """The largest share below which k or more of n have a probability of less than alpha."""
    return float(betaincinv(k, n - k + 1, alpha)) if k > 0 else 0.0


def _upper(k: int, n: int, alpha: float) -> float:
    """The smallest share above which k or fewer of n have a probability of less than alpha."""
    return float(betaincinv(k + 1, n - k, 1 - alpha)) if k < n else 1.0


def confidence(alpha: float = ALPHA) -> str:
    """Return the confidence of intervals with this chance of error: `99.99%`."""
    return f"{100 * (1 - alpha):.10g}%"
