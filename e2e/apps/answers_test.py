from __future__ import annotations

import pytest

from e2e.apps.answers import of_the_bad_version
from fixtures.timeline.records_for_test import CANARY, STABLE, request, traffic
from loadgen.records import Request
from loadgen.requests import Requests

GOOD = traffic(0, 5, weight=0)
BAD = [request(6, CANARY, status=500), request(7, CANARY)]


def bad_of(sent: list[Request]) -> list[Request]:
    return of_the_bad_version(Requests.of(sent), CANARY, good={STABLE})


def test_the_answers_of_the_bad_version_are_told_from_others() -> None:
    assert bad_of([*GOOD, *BAD, request(8, None, status=503)]) == BAD


def test_a_failed_request_to_a_good_version_is_seen() -> None:
    with pytest.raises(AssertionError, match="1 requests to good versions failed, first with 503"):
        bad_of([*GOOD, *BAD, request(8, STABLE, status=503)])


def test_too_few_requests_to_good_versions_are_no_verdict() -> None:
    with pytest.raises(AssertionError, match="only 999 requests to good versions"):
        bad_of([*GOOD[1:], *BAD])
