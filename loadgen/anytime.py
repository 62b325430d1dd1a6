"""Statistical tests of a share that stay valid no matter how often one looks at the data and when one stops.

Both tests compute a betting score ("e-value"): the likelihood of the data under a mixture
of shares, divided by their likelihood under the claimed share. If the claim is
true, the score is a non-negative (super)martingale that starts at 1. So, by
Ville's inequality, the probability that it ever reaches 1/alpha is at most alpha.

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
    """Tests after every look at the data whether the observed share is still consistent with a weight.

    Attributes:
        weight: The claimed share, 0 to 1. Weights of 0 and 1 are contradicted by a single exception.
        alpha: Probability that a true weight is ever contradicted, over all looks together.
        k: Number of requests counted so far that went to the version with this weight.
        n: Number of all requests counted so far.
        contradicted: Whether the weight has been contradicted.
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
        """Count n more requests, k of them with the weight; return whether the weight is still consistent.

        Once the weight has been contradicted, later data do not change that.
        """
        _count(self, k, n)
        self.contradicted |= log_evidence_against(self.weight, self.k, self.n) >= -math.log(self.alpha)
        return not self.contradicted

    def __str__(self) -> str:
        verdict = "contradicts" if self.contradicted else "is consistent with"
        return f"{_observed(self)} {verdict} {percent(self.weight)}% at every look so far"


@dataclass(slots=True)
class LimitWatch:
    """Tests after every look at the data whether a share, for example of errors, exceeds a limit.

    Attributes:
        limit: The greatest share allowed, 0 to 1. A limit of 0 is exceeded by a single request.
        alpha: Probability that a share up to the limit is ever called too high, over all looks together.
        k: Number of requests counted so far that belong to the share, such as failed ones.
        n: Number of all requests counted so far.
        exceeded: Whether the limit has been shown to be exceeded.
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
        """Count n more requests, k of them in the share; return whether the limit is shown to be exceeded.

        Once this has been shown, later data do not change it.
        """
        _count(self, k, n)
        self.exceeded |= log_evidence_above(self.limit, self.k, self.n) >= -math.log(self.alpha)
        return self.exceeded

    def __str__(self) -> str:
        verdict = "exceeds" if self.exceeded else "is not shown to exceed"
        return f"{_observed(self)} {verdict} the limit of {percent(self.limit)}%"


def anytime_interval(k: int, n: int, alpha: float = ALPHA) -> Interval:
    """Return the confidence sequence at k of n: the interval of all weights that the data do not contradict.

    With probability >= 1 - alpha, the intervals at all n contain the true share.
    Each is about a third wider than an interval for one fixed n.

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
    """Return the log score against "the share is at most `limit`", by a uniform mixture over greater shares.

    The score is a supermartingale for every share up to the limit: for such a share, the expected
    likelihood ratio of any p > limit to the limit is at most 1.
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
