"""The order of the tests: what is quick says first whether something is silly."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.plugin.items import asks_for

_E2E = Path(__file__).parent / "e2e"


# Before the plugin, whose order for parallel runs rests on the mark.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Beside the code that scenarios share there are unit tests of it.
        if _E2E in item.path.parents and not item.path.name.endswith("_test.py"):
            item.add_marker(pytest.mark.e2e)
    items.sort(key=_cost)


def _cost(item: pytest.Item) -> tuple[bool, bool, bool]:
    """Tests without a cluster, then those with clusters of their own, then those that share the session's.

    Of these, those on kind come last, so that two such clusters never run at once.
    """
    shared = asks_for(item, "environment")
    on_kind = isinstance(item, pytest.Function) and "[kind]" in item.name
    return item.get_closest_marker("e2e") is not None, shared, on_kind
