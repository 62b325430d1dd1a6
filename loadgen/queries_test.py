from __future__ import annotations

from collections import Counter

import pytest

from fixtures.core.errors import FiredampError
from loadgen.queries import counted, errors, late, latency_ms, percentile, share_of
from loadgen.records_test import request
from loadgen.statistics import Share

REQUESTS = [
    request(1, version="1.0"),
    request(2, version="1.0", stream="preview"),
    request(3, version="1.1", status=500),
    request(4, version=None, status=503),
    request(5, version=None, status=0, error="timed out"),
]


def test_a_share_is_of_the_answers_that_name_a_version() -> None:
    assert share_of("1.1", REQUESTS) == Share(1, 3)
    assert share_of("1.2", REQUESTS) == Share(0, 3)


def test_errors_are_counted_by_what_happened() -> None:
    assert errors(REQUESTS) == {"500 from 1.1": 1, "503 from no version": 1, "timed out": 1}


def test_failures_of_the_app_and_of_the_gateway_are_told_apart() -> None:
    unknown = {"version": None, "upstream": "10.0.0.9:80"}
    failed = [
        request(1, status=503, version=None, flags="UH"), request(2, status=503, flags="UF,URX", **unknown),
        request(3, status=404, version=None, flags="-"), request(4, status=503, version=None, flags="NEW"),
        request(5, status=500, **unknown), request(6, status=503, flags="URX", upstream="a:80"),
    ]  # fmt: skip
    assert list(errors(failed)) == [
        "503 by the proxy: UH, no healthy upstream",
        "503 by the proxy: UF, no connection to the pod; URX, no retries left",
        "404 by the proxy",
        "503 by the proxy: NEW",
        "500 from an unknown pod at 10.0.0.9:80",
        "503 from 1.0",
    ]


def test_late_is_measured_from_the_intended_time() -> None:
    punctual, tardy = request(10, intended=9.96), request(10, intended=9.9)
    assert list(late([punctual, tardy])) == [tardy]


@pytest.mark.parametrize(("q", "value"), [(0, 1), (0.5, 5), (0.9, 9), (0.99, 10), (1, 10)])
def test_percentiles_are_values_that_occurred(q: float, value: float) -> None:
    assert percentile(range(10, 0, -1), q) == value


def test_latency_counts_from_the_intended_time() -> None:
    assert latency_ms([request(latency_ms=900.0, service_ms=4.0)], 0.5) == 900


def test_no_percentile_of_nothing() -> None:
    with pytest.raises(FiredampError, match="0 values"):
        percentile([], 0.5)


def test_what_is_not_listed_is_counted() -> None:
    errors = Counter({"timed out": 1200, "500 from 1.1": 3, "a": 2, "b": 1, "c": 1})
    assert counted(errors, most=5) == "1,200 x timed out, 3 x 500 from 1.1, 2 x a, 1 x b, 1 x c"
    assert counted(errors, most=2) == "1,200 x timed out, 3 x 500 from 1.1, 4 x something else (3 kinds)"
    assert counted(Counter()) == "none"
