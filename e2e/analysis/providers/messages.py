"""The messages of an AnalysisRun whose provider got no proper answer, word for word of Argo Rollouts 1.10."""

from __future__ import annotations

import re

from e2e.analysis.providers.catalog import DOWN, MALFORMED, WRONG_KEY
from e2e.analysis.providers.runs import RunResult

_REFUSED = r"dial tcp [\d.]+:80: connect: connection refused"
_HTML = r"invalid character '<' looking for beginning of value"
_EXPECTED = {
    ("prometheus", WRONG_KEY): r"client_error: client error: 401",
    ("prometheus", MALFORMED): r"readObjectStart: expect \{ or n, but found <",
    (
        "datadog-v1",
        WRONG_KEY,
    ): r'received authentication error response code: 403 \{"errors":\["Forbidden"\]\}',
    ("datadog-v1", MALFORMED): rf"Could not parse JSON body: {_HTML}",
    (
        "datadog-v2",
        WRONG_KEY,
    ): r'received authentication error response code: 403 \{"errors":\["Forbidden"\]\}',
    ("datadog-v2", MALFORMED): rf"Could not parse JSON body: {_HTML}",
    ("newrelic", WRONG_KEY): r"Invalid credentials provided",
    ("newrelic", MALFORMED): _HTML,
    ("influxdb", WRONG_KEY): r"Unexpected status code 401",
    ("influxdb", MALFORMED): r"no results returned from flux query",
    ("graphite", WRONG_KEY): r"error response: ",
    ("graphite", MALFORMED): _HTML,
    ("web", WRONG_KEY): r"received non 2xx response code: 401",
    ("cloudwatch", WRONG_KEY): r"InvalidClientTokenId: The security token included in the request is invalid",
    ("cloudwatch", MALFORMED): r"unexpected smithy-protocol response header '' \(HTTP status: 200 OK\)",
    ("plugin", WRONG_KEY): r"client_error: client error: 401",
    ("plugin", MALFORMED): r"readObjectStart: expect \{ or n, but found <",
}
# Cases whose phase is not Error, although it should be: see docs/metric-providers.md.
_EXCEPTIONS = {
    ("web", MALFORMED): "Successful",
    ("job", WRONG_KEY): "Failed",
    ("job", MALFORMED): "Failed",
    ("job", DOWN): "Failed",
}


def assert_explained(provider: str, case: str, said: RunResult) -> None:
    """Assert that a run ended in the phase expected for this provider and case, and that it says why."""
    phase = _EXCEPTIONS.get((provider, case), "Error")
    assert said.phase == phase, f"{provider}, {case}: {said}"
    if phase == "Error":
        pattern = _REFUSED if case == DOWN else _EXPECTED[provider, case]
        assert re.search(pattern, said.text), f"{provider}, {case}: not explained by {said.text!r}"
        assert said.text in said.message, f"{provider}, {case}: the run keeps it for itself: {said.message!r}"
