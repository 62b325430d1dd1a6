"""The servers that the tests of metric providers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.analysis.providers.servers import Servers, running
from fixtures.environment.environment import Environment


@pytest.fixture(scope="package")
def servers(environment: Environment) -> Iterator[Servers]:
    """The servers, with their keys."""
    with running(environment) as started:
        yield started
