"""The scenarios of `make test` touch every part, take little time, and need few components."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from e2e.collected import CollectedTest, collected
from e2e.components import BY_FIXTURE
from fixtures.plugin.red import read

_ROOT = Path(__file__).parents[1]
_MAIN_JOB = r"e2e/canary/test_abort\.py::test_a_version_that_answers_5xx_is_aborted_and_gone"
# The parts that the scenarios have to touch, with the tests that touch each of them.
_PARTS = {
    "the main job": _MAIN_JOB,
    "the main job on kind": rf"{_MAIN_JOB}\[kind\]",
    "a canary that is good": r"e2e/canary/test_promote\.py::.*",
    "a blue-green release": r"e2e/bluegreen/.*",
    "a Deployment": r"e2e/baseline/.*",
    "an analysis": r"e2e/analysis/.*",
    "a release by GitOps": r"e2e/gitops/.*",
    "a killed process": r"e2e/cluster/.*killed.*",
    "a planted fault": r"e2e/harness/test_red\.py::.*",
}
# The scenarios' part of the 12 minutes that `make test` may take on two processors.
_SECONDS = 8 * 60
_PROCESSES = 2
# The starts of clusters: a native one in each process, one with GitOps, one on kind.
_STARTS = 2 * 15 + 40 + 105


# In one process, so that the tests are collected only once.
pytestmark = pytest.mark.xdist_group("collected")


@pytest.fixture
def smoke() -> list[CollectedTest]:
    return [each for each in collected() if each.is_smoke]


@pytest.mark.parametrize("part", _PARTS)
def test_each_part_is_touched(smoke: list[CollectedTest], part: str) -> None:
    assert any(re.fullmatch(_PARTS[part], each.test) for each in smoke), f"nothing is about {part}"


def test_they_take_little_time(smoke: list[CollectedTest]) -> None:
    costs = json.loads((_ROOT / "docs" / "costs.json").read_text())
    unknown = [each.test for each in smoke if each.test not in costs]
    assert not unknown, f"run them, and `make docs`: {unknown}"
    seconds = _STARTS + sum(costs[each.test] for each in smoke)
    assert seconds / _PROCESSES <= _SECONDS, f"{seconds:.0f} s of tests"


def test_they_need_no_component_but_those_of_the_clusters(smoke: list[CollectedTest]) -> None:
    brought = {each.test: BY_FIXTURE.keys() & set(each.fixtures) for each in smoke}
    assert not {test: names for test, names in brought.items() if names}


def test_each_fixture_that_brings_a_component_and_each_test_that_was_red_is_there() -> None:
    everything = collected()
    assert BY_FIXTURE.keys() <= {name for each in everything for name in each.fixtures}
    assert set(read(_ROOT / "e2e" / "recently_red.json")) <= {each.test for each in everything}
