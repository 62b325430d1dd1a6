"""A pytest plugin that plants one fault: `pytest -p e2e.mutations.plugin --fault NAME ROW…`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.mutations import controller, judge_alone
from e2e.mutations.faults import FAULTS, by_name, edits
from e2e.types import Variant
from e2e.variants import combined
from fixtures.judge.bounds import BoundExceededError
from fixtures.trial import sample
from fixtures.trial.baseline import Baseline
from fixtures.trial.sample_baseline import baseline

# The control: the changed controller, with none of its faults switched on.
NONE = "none"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name the fault, and where it is written what the judge alone says."""
    parser.addoption("--fault", required=True, choices=(NONE, *(fault.name for fault in FAULTS)))
    parser.addoption("--judge-alone", type=Path, help="folder for what the judge says of the test's trials")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Have the trials of a test judged as far as they are recorded, whether it fails or not."""
    bound = ""
    try:
        return (yield)
    except BoundExceededError as error:
        bound = error.message
        raise
    finally:
        folder = item.config.getoption("--judge-alone")
        judging = getattr(item, "funcargs", {}).get("judging")
        if folder and judging:
            judge_alone.write(judge_alone.judged_alone(judging.trials, bound), folder)


@pytest.fixture(scope="session", autouse=True)
def fault_in_the_harness(request: pytest.FixtureRequest) -> Iterator[None]:
    """Plants a fault of the harness or the manifests, before anything is started."""
    name = request.config.getoption("--fault")
    with pytest.MonkeyPatch.context() as patch:
        if name != NONE:
            fault = by_name(name)
            if fault.harness:
                fault.harness(patch)
            if fault.manifests:
                patch.setattr(sample, "baseline", with_fault(fault.manifests))
        yield


@pytest.fixture(scope="session")
def faulty_controller(request: pytest.FixtureRequest) -> None:
    """Replaces the controller of the session's cluster, if the fault is in the controller."""
    name = request.config.getoption("--fault")
    if name == NONE or by_name(name).edits:
        environment = request.getfixturevalue("environment")
        controller.plant(environment, controller.build(edits()), "" if name == NONE else name)


@pytest.fixture(autouse=True)
def fault_in_the_controller(request: pytest.FixtureRequest) -> None:
    """Has the controller replaced before the first test that uses the cluster."""
    if "environment" in request.fixturenames:
        request.getfixturevalue("faulty_controller")


def with_fault(change: Variant) -> Callable[..., Baseline]:
    """A function like `baseline` that applies a change after the variant."""

    def changed(strategy: str, *, variant: Variant | None = None, **options: Any) -> Baseline:  # noqa: ANN401
        both = combined(variant, change) if variant else change
        return baseline(strategy, variant=both, **options)

    return changed
