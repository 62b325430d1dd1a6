"""An app's own image runs from an archive, and a proxy in front of it makes the faults of a version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import sample_app
from e2e.apps.answers import of_the_bad_version, seen
from e2e.types import Report, StartAppTrial
from fixtures.artifacts.oci import catalog
from fixtures.artifacts.oci.image import write_archive
from fixtures.conditions.conditions import promoted, scaled_to
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import requests
from fixtures.trial.trial import ACTIVE, CONVERGENCE_SECONDS
from sample_app.versions import Version

REPOSITORY = "registry.shop.example/own/shop"


def archive_of(file: Path, tags: Sequence[str]) -> Path:
    """An archive as a user has it: a good program, under each tag."""
    code = Path(sample_app.__file__).parent / "api"
    programs = catalog.payments({tag: Version(tag).version_json().encode() for tag in tags}, code=code)
    write_archive([replace(each, name=f"{REPOSITORY}:{each.tag}") for each in programs], file)
    return file


@pytest.mark.every_provider
def test_a_fault_in_front_of_an_apps_own_image_is_caught(
    app_under_test: StartAppTrial, tmp_path: Path, numbers: Report
) -> None:
    archive = archive_of(tmp_path / "shop.tar", ["5.0", "5.1", "5.2"])
    shop = app_under_test(
        "e2e/apps/own-image", images=[f"shop={archive}"], good="5.0", faults={"5.2": "5xx-50"}
    )
    with shop as app:
        with app.traffic(60):
            app.deploy("5.1")
            app.wait(promoted("5.1"), within=120)
            app.wait(scaled_to(0, "5.0"), within=90)
            app.deploy("5.2")
            app.wait_contained("5.2", within=120)
            app.stays_contained("5.2")
        records = app.records()
    bad = of_the_bad_version(requests(records, ACTIVE), "5.2", good={"5.0", "5.1"})
    statuses = {each.status for each in bad}
    assert statuses == {200, 500}, f"version 5.2 answered {statuses}, and half of its answers should be 500"
    gone = assert_gone(records, stream=ACTIVE, version="5.2", allow=CONVERGENCE_SECONDS)
    numbers(failed_answers=f"{sum(each.failed for each in bad):,} of {len(bad):,}", gone=gone)


def test_a_version_that_crashes_or_is_never_ready_answers_nothing(
    app_under_test: StartAppTrial, tmp_path: Path
) -> None:
    archive = archive_of(tmp_path / "shop.tar", ["5.0", "5.1", "5.2", "5.3"])
    shop = app_under_test(
        "e2e/apps/own-image",
        images=[f"shop={archive}"],
        good="5.0",
        faults={"5.1": "crash", "5.2": "neverready"},
    )
    with shop as app:
        with app.traffic(30):
            app.deploy("5.1")
            app.wait(seen("5.1", restarts=2), within=60)
            app.deploy("5.2")
            app.wait(seen("5.2"), within=60)
            app.holds(seen("5.2"), for_=6)
            # A version after them has what they did not have: its own command and its own probe.
            app.deploy("5.3")
            app.wait(promoted("5.3"), within=120)
        sent = requests(app.records(), ACTIVE)
    assert not of_the_bad_version(sent, "5.1", good={"5.0", "5.3"}), "a version that crashes answered"
    assert not of_the_bad_version(sent, "5.2", good={"5.0", "5.3"}), "a version that is never ready answered"


def test_resets_of_one_path_reach_clients_as_failures_of_the_gateway(
    app_under_test: StartAppTrial, tmp_path: Path, numbers: Report
) -> None:
    archive = archive_of(tmp_path / "shop.tar", ["5.0", "5.1"])
    shop = app_under_test(
        "e2e/apps/own-image", images=[f"shop={archive}"], good="5.0", faults={"5.1": "reset-30@/payments"}
    )
    with shop as app:
        with app.traffic(60):
            app.deploy("5.1")
            app.wait_contained("5.1", within=120)
            app.stays_contained("5.1")
        records = app.records()
    # A pod that resets a request does not answer it: the gateway does, with the flag UC.
    answers = Counter((each.version, each.status, each.flags) for each in requests(records, ACTIVE))
    reset, good = answers[None, 503, "UC"], answers["5.1", 200, None]
    assert set(answers) == {("5.0", 200, None), ("5.1", 200, None), (None, 503, "UC")}, answers
    assert 0.15 < reset / (reset + good) < 0.45, (
        f"{reset} of {reset + good} requests to 5.1 were reset, not 30%"
    )
    numbers(resets=f"{reset:,} of {reset + good:,}")
