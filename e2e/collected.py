"""What pytest collects in this folder, for tests that check the suite as a whole.

This needs a pytest process of its own, because a session may have only some of the tests.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fixtures.core.process import run

_ROOT = Path(__file__).parents[1]
_COLLECT = """
import json, sys, pytest

class Seen:
    def pytest_collection_finish(self, session):
        from fixtures.plugin.selection import is_smoke

        tests = [item for item in session.items if item.get_closest_marker("e2e")]
        print(json.dumps([(item.nodeid, item.fixturenames, is_smoke(item)) for item in tests]))

sys.exit(pytest.main(["--collect-only", "-qq", "e2e"], plugins=[Seen()]))
"""


@dataclass(frozen=True)
class CollectedTest:
    """One test that needs a cluster.

    Attributes:
        test: Its node id.
        fixtures: The names of the fixtures that it asks for, directly or through other fixtures.
        is_smoke: Whether `make test` runs it.
    """

    test: str
    fixtures: tuple[str, ...]
    is_smoke: bool


@cache
def collected() -> tuple[CollectedTest, ...]:
    """The tests below `e2e` that need a cluster."""
    output = run([sys.executable, "-c", _COLLECT], cwd=_ROOT, timeout=120)
    (line,) = [line for line in output.splitlines() if line.startswith("[[")]
    return tuple(CollectedTest(test, tuple(names), is_smoke) for test, names, is_smoke in json.loads(line))
