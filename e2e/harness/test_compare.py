"""`firedamp compare` finds a controller that behaves differently, and says what it does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from e2e.mutations import controller
from e2e.mutations.compared import PLANTED, compared, line, two_clusters
from e2e.mutations.faults import edits
from e2e.types import Report
from fixtures.core.progress import Phases

# Two clusters, and each round of both; on a busy machine, rounds without their load are repeated.
_SECONDS = 1200


@pytest.mark.timeout(_SECONDS)
def test_a_fault_planted_in_a_controller_is_found_and_named(tmp_path: Path, numbers: Report) -> None:
    planted = PLANTED[0]
    controller.build(edits())
    began = time.monotonic()

    # One new run is enough for an outcome; `make compared` plants all faults, with more runs.
    with two_clusters(phases := Phases()) as clusters:
        comparison = compared(planted, clusters, tmp_path, 1, phases)

    said = line(planted, comparison, time.monotonic() - began)
    assert said.startswith("found: "), said
    assert not comparison.fields, "the manifests are the same, and so are the API servers"
    assert not comparison.unknown
    numbers(compared=f"{time.monotonic() - began:.0f} s", found=said)
