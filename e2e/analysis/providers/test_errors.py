"""A metric provider without an answer that it can read reports an error and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from e2e.analysis.providers.catalog import DOWN, MALFORMED, PROVIDERS, WRONG_KEY
from e2e.analysis.providers.messages import assert_explained
from e2e.analysis.providers.runs import start, verdict
from e2e.analysis.providers.servers import Servers
from e2e.types import Report

# In a parallel run, one process starts the servers.
pytestmark = pytest.mark.xdist_group("metric-providers")

CASES = (WRONG_KEY, MALFORMED, DOWN)
Started = Mapping[tuple[str, str], str]


@pytest.fixture(scope="module")
def started(servers: Servers) -> Started:
    """An AnalysisRun for each provider and case, all at the same time."""
    return {
        (name, case): start(servers, provider, case=case)
        for name, provider in PROVIDERS.items()
        for case in CASES
    }


@pytest.mark.scenario("an-10")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_without_a_proper_answer_says_why(
    servers: Servers, started: Started, provider: str, case: str, numbers: Report
) -> None:
    said = verdict(servers, started[provider, case])
    assert_explained(provider, case, said)
    numbers(said=str(said))
