"""Tests of a share that stay valid however often one looks, and whenever one stops.

Both are betting scores ("e-values"): the likelihood of the data under a mixture
of shares over their likelihood under the share that is claimed. If the claim is
true, the score is a non-negative (super)martingale that starts at 1, so by
Ville's inequality it ever reaches 1/alpha with probability at most alpha.

Sources: Ville 1939, Étude critique de la notion de collectif; Robbins 1970
(the uniform mixture used here), https://doi.org/10.1214/aoms/1177696786;
Howard, Ramdas, McAuliffe, Sekhon 2021, https://doi.org/10.1214/20-AOS1991
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy.optimize import brentq
from scipy.special import betaincc, betaln, xlog1py, xlogy

from fixtures.core.errors import FiredampError
from fixtures.core.shares import percent
from loadgen.statistics import ALPHA, Interval


@dataclass(slots=True)
class ShareWatch:
    """Whether the share observed stays consistent with `weight`, at every look.

    Attributes:
        weight: The share claimed, 0 to 1. For 0 and 1 a single exception contradicts.
        alpha: Probability that a true weight is ever contradicted, over all looks together.
    """

    weight: float
    alpha: float = ALPHA
    k: int = 0
    n: int = 0
    contradicted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise FiredampError(f"a weight is a share from 0 to 1, not {self.weight:g}")

    def add(self, k: int, n: int) -> bool:
        """Count k more of n more requests; return whether the weight is still consistent with all of them.

        A contradiction stands: later data cannot take it back.
        """
        _count(self, k, n)
        self.contradicted |= log_evidence_against(self.weight, self.k, self.n) >= -math.log(self.alpha)
        return not self.contradicted

    def __str__(self) -> str:
        verdict = "contradicts" if self.contradicted else "is consistent with"
        return f"{_observed(self)} {verdict} {percent(self.weight)}% at every look so far"


@dataclass(slots=True)
class LimitWatch:
    """Whether a share, of errors say, has been shown to exceed `limit`, at any look.

    Attributes:
        limit: The greatest share allowed, 0 to 1. For 0 a single one exceeds.
        alpha: Probability that a share up to the limit is ever called too high, over all looks together.
    """

    limit: float
    alpha: float = ALPHA
    k: int = 0
    n: int = 0
    exceeded: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.limit < 1:
            raise FiredampError(f"a limit is a share from 0 to below 1, not {self.limit:g}")

    def add(self, k: int, n: int) -> bool:
        """Count k more of n more requests; return whether the limit has been shown to be exceeded.

        Once shown, it stands: later data cannot take it back.
        """
        _count(self, k, n)
        self.exceeded |= log_evidence_above(self.limit, self.k, self.n) >= -math.log(self.alpha)
        return self.exceeded

    def __str__(self) -> str:
        verdict = "exceeds" if self.exceeded else "is not shown to exceed"
        return f"{_observed(self)} {verdict} the limit of {percent(self.limit)}%"


def anytime_interval(k: int, n: int, alpha: float = ALPHA) -> Interval:
    """Return the confidence sequence at k of n: all weights that these data do not contradict.

    It contains the true share at all n at once with probability >= 1 - alpha,
    and is about a third wider than the interval for one fixed n.

    Raises:
        FiredampError: k is not in 0..n.
    """
    if not 0 <= k <= n:
        raise FiredampError(f"{k} of {n} is not a share")
    if n == 0:
        return Interval(0.0, 1.0)

    def excess(share: float) -> float:
        return min(log_evidence_against(share, k, n) + math.log(alpha), 1e9)

    centre = k / n
    low = brentq(excess, 0.0, centre) if k > 0 else 0.0
    high = brentq(excess, centre, 1.0) if k < n else 1.0
    return Interval(float(low), float(high))


def log_evidence_against(share: float, k: int, n: int) -> float:
    """Return the log score against "the share is `share`", by a uniform mixture over all shares."""
    return float(betaln(k + 1, n - k + 1) - xlogy(k, share) - xlog1py(n - k, -share))


def log_evidence_above(limit: float, k: int, n: int) -> float:
    """Return the log score against "the share is at most `limit`", by a uniform mixture over those above.

    It is a supermartingale for every share up to the limit: each likelihood ratio
    of p > limit to limit is expected to be at most 1 there.
    """
    above = float(betaincc(k + 1, n - k + 1, limit))
    if above == 0:
        return -math.inf
    mixture = float(betaln(k + 1, n - k + 1)) + math.log(above) - math.log1p(-limit)
    return mixture - float(xlogy(k, limit) + xlog1py(n - k, -limit))


def _count(watch: ShareWatch | LimitWatch, k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise FiredampError(f"{k} of {n} is not a share")
    watch.k += k
    watch.n += n


def _observed(watch: ShareWatch | LimitWatch) -> str:
    return f"{percent(watch.k / watch.n)}% (n={watch.n:,})" if watch.n else "no share (n=0)"
