from __future__ import annotations

import pytest

from e2e.analysis.providers.catalog import DOWN, MALFORMED, WRONG_KEY
from e2e.analysis.providers.messages import assert_explained
from e2e.analysis.providers.runs import RunResult

REFUSED = 'Get "http://x": dial tcp 10.96.0.1:80: connect: connection refused'


def said(phase: str, text: str = "", message: str | None = None) -> RunResult:
    return RunResult(phase, f"assessed {phase}: {text}" if message is None else message, "", text)


def test_an_error_with_its_cause_is_as_it_should_be() -> None:
    assert_explained("graphite", DOWN, said("Error", REFUSED))
    assert_explained("web", WRONG_KEY, said("Error", "received non 2xx response code: 401"))


@pytest.mark.parametrize("phase", ["Successful", "Failed", "Inconclusive"])
def test_a_verdict_without_an_answer_is_none(phase: str) -> None:
    with pytest.raises(AssertionError, match=f"prometheus, down: {phase}"):
        assert_explained("prometheus", DOWN, said(phase, REFUSED))


def test_an_error_with_another_cause_is_not_explained() -> None:
    with pytest.raises(AssertionError, match=r"prometheus, wrong-key: not explained by .*refused"):
        assert_explained("prometheus", WRONG_KEY, said("Error", REFUSED))


def test_a_cause_that_only_the_measurement_has_is_not_said() -> None:
    with pytest.raises(AssertionError, match="keeps it for itself"):
        assert_explained("prometheus", DOWN, said("Error", REFUSED, message="assessed Error"))


def test_the_two_that_are_no_errors_must_stay_so_until_somebody_looks() -> None:
    assert_explained("web", MALFORMED, said("Successful"))
    with pytest.raises(AssertionError, match="web, malformed: Error"):
        assert_explained("web", MALFORMED, said("Error", "Could not parse JSON body"))
