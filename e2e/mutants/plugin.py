"""A pytest plugin that switches one mutant on: `pytest -p e2e.mutants.plugin --mutant 17 ROW…`.

With `--mutant 0`, none is on, and after each test the mutants that it reached and the lines that it covered
are written to the folder `--reached`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.mutants import reach
from e2e.mutants.build import TAG, VARIABLE, build
from e2e.mutations import controller
from fixtures.addons.rollouts import NAMESPACE
from fixtures.compare.inside import notes
from fixtures.compare.inside.notes import Note
from fixtures.environment.environment import Environment
from fixtures.faults import leases
from fixtures.plugin.output import output_of

PLANTED = "planted"
"""What a note is called that says that the cluster was there when the controller was replaced."""
_LEASE = "argo-rollouts-controller-lock"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    parser.addoption("--mutant", required=True, type=int, help="its number; 0 for none")
    parser.addoption("--reached", help="the folder for what each test reached")


@pytest.fixture(scope="session")
def mutated_controller(request: pytest.FixtureRequest) -> None:
    """Replaces the controller of the session's cluster."""
    environment: Environment = request.getfixturevalue("environment")
    notes.add(output_of(request.config), Note("", PLANTED, environment.cluster.name))
    mutant = str(request.config.getoption("--mutant"))
    controller.plant(environment, build().archive, mutant, tag=TAG, variable=VARIABLE)
    # The old controller has left its lease taken, for which the new one would wait for 15 s.
    leases.free(environment.kube, NAMESPACE, _LEASE)


@pytest.fixture(autouse=True)
def reached(request: pytest.FixtureRequest) -> Iterator[None]:
    """Has the controller replaced before the first test that uses the cluster; writes what each reached."""
    if "environment" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("mutated_controller")
    environment: Environment = request.getfixturevalue("environment")
    to = request.config.getoption("--reached")
    if to is None:
        yield
        return
    reach.forget(environment.kube)
    yield
    reach.write(environment.kube, Path(to), request.node.nodeid)
