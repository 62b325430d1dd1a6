"""Functions that compute shares, errors and latencies from recorded requests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from fixtures.core.errors import FiredampError
from loadgen.flags import NO_FLAG, in_words
from loadgen.records import LATE_MS, Request
from loadgen.requests import Requests
from loadgen.statistics import Share


def share_of(version: str, requests: Iterable[Request]) -> Share:
    """Return the share of `version` among the answers whose version is known.

    Requests without such an answer (the gateway answered itself, or nobody did) say nothing
    about the weights and are left out; `errors` counts them.
    """
    columns = Requests.of(requests)
    return Share(len(columns.of_version(version)), len(columns.answered))


def errors(requests: Iterable[Request]) -> Counter[str]:
    """Count the failed requests by cause, in the words of `cause`."""
    columns = Requests.of(requests)
    return Counter(map(cause, columns.where(columns.failed)))


def cause(request: Request) -> str:
    """Return why a request failed, in words that are the same for all failures of one cause.

    The app's failures are told apart from those of the gateway: `500 from 1.2-5xx`, `503 by the proxy: UH, no
    healthy upstream`, `timed out`.
    """
    if request.error is not None:
        return request.error
    if request.is_by_proxy:
        why = in_words(request.flags) if request.flags and request.flags != NO_FLAG else ""
        return f"{request.status} by the proxy{': ' if why else ''}{why}"
    if request.version is None and request.upstream is not None:
        return f"{request.status} from an unknown pod at {request.upstream}"
    return f"{request.status} from {request.version or 'no version'}"


def counted(counts: Counter[str], most: int = 5) -> str:
    """Return the `most` most frequent entries as text, and how many others there are: `3 x timed out`."""
    shown = counts.most_common(most)
    parts = [f"{count:,} x {what}" for what, count in shown]
    if kinds := len(counts) - len(shown):
        parts.append(f"{counts.total() - sum(n for _, n in shown):,} x something else ({kinds} kinds)")
    return ", ".join(parts) or "none"


def late(requests: Iterable[Request]) -> Requests:
    """Return the requests sent more than `LATE_MS` after their intended time."""
    columns = Requests.of(requests)
    return columns.where((columns.t - columns.intended) * 1000 > LATE_MS)


def percentile(values: Iterable[float], q: float) -> float:
    """Return the q-quantile (0 to 1) of `values` by nearest rank, which is always one of the values.

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
