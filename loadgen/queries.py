"""Questions that assertions ask of recorded requests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from fixtures.core.errors import FiredampError
from loadgen.records import Request
from loadgen.requests import Requests
from loadgen.statistics import Share

# What a busy machine's scheduler does to a punctual client; later than this, the client was not punctual.
LATE_MS = 50.0


def share_of(version: str, requests: Iterable[Request]) -> Share:
    """Return the share of `version` among the answers that name a version; 0 of n when it gave none.

    An answer without a version (the gateway's own, or none) tells nothing about
    the split; `errors` counts it.
    """
    found = Requests.of(requests)
    return Share(len(found.of_version(version)), len(found.answered))


def errors(requests: Iterable[Request]) -> Counter[str]:
    """Count the failed requests by what happened: `500 from 1.2-5xx`, `timed out`."""
    found = Requests.of(requests)
    return Counter(map(_reason, found.where(found.failed)))


def counted(found: Counter[str], most: int = 5) -> str:
    """Return the most frequent of what was counted, and how many others there were: `3 x timed out`."""
    shown = found.most_common(most)
    told = [f"{count:,} x {what}" for what, count in shown]
    if kinds := len(found) - len(shown):
        told.append(f"{found.total() - sum(n for _, n in shown):,} x something else ({kinds} kinds)")
    return ", ".join(told) or "none"


def late(requests: Iterable[Request]) -> Requests:
    """Return the requests sent more than `LATE_MS` after their intended time."""
    found = Requests.of(requests)
    return found.where((found.t - found.intended) * 1000 > LATE_MS)


def percentile(values: Iterable[float], q: float) -> float:
    """Return the q-quantile (0 to 1) of `values` by nearest rank: a value that really occurred.

    Raises:
        FiredampError: There are no values, or q is out of range.
    """
    ordered = sorted(values)
    if not ordered or not 0 <= q <= 1:
        raise FiredampError(f"no {q:g}-quantile of {len(ordered)} values")
    return ordered[max(math.ceil(q * len(ordered)) - 1, 0)]


def latency_ms(requests: Iterable[Request], q: float) -> float:
    """Return the q-quantile (0 to 1) of the latency from the intended send time, in milliseconds.

    Raises:
        FiredampError: There are no requests, or q is out of range.
    """
    return percentile(Requests.of(requests).latency_ms.tolist(), q)


def _reason(request: Request) -> str:
    if request.error is not None:
        return request.error
    return f"{request.status} from {request.version or 'no version'}"
