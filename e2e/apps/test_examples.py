"""Apps that are not ours, deployed from their manifests: good versions are promoted, broken ones stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.types import Report, StartAppTrial
from fixtures.conditions.conditions import promoted
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import assert_no_errors
from fixtures.timeline.app_record import AppRecord
from fixtures.trial.trial import ACTIVE, Trial

_EXAMPLES = [
    "subsets",
    "two-virtual-services",
    "storefront",
    *(pytest.param(f"behind-{each}", marks=pytest.mark.router(each)) for each in ("nginx", "traefik")),
]
_HERE = Path(__file__).parent
# Their canaries have pauses of 40 s altogether, and pods that take some seconds to be ready.
_PROMOTED_SECONDS, _ABORTED_SECONDS = 180, 120
# As long as an aborted version may go on to answer: docs/findings.md has why.
_GONE_SECONDS = 10
_RATE = 60.0


@pytest.mark.parametrize("example", _EXAMPLES)
def test_a_good_version_is_promoted_without_a_failed_request(
    example: str, app_under_test: StartAppTrial, numbers: Report
) -> None:
    with app_under_test(_HERE / example) as app:
        with app.traffic(_RATE, routes=_others(app)):
            app.deploy("1.1")
            took = app.wait(promoted("1.1"), within=_PROMOTED_SECONDS)
            app.stays_promoted("1.1")
        answered = sum(assert_no_errors(app.records(), stream=way.name) for way in app.ways)
        _require_listed(app)
    numbers(deploy_to_promoted=f"{took:.1f} s", failed_requests=f"0 of {answered:,}")


@pytest.mark.parametrize("example", _EXAMPLES)
def test_a_version_that_answers_500_is_aborted_and_gone_from_every_route(
    example: str, app_under_test: StartAppTrial, numbers: Report
) -> None:
    with app_under_test(_HERE / example) as app:
        with app.traffic(_RATE, routes=_others(app)):
            app.deploy("1.2-5xx")
            app.wait_contained("1.2-5xx", within=_ABORTED_SECONDS)
            app.stays_contained("1.2-5xx")
        records = app.records()
        weighted = records.of(AppRecord)[0].routes
        gone = [
            assert_gone(records, stream=way.name, version="1.2-5xx", allow=_GONE_SECONDS)
            for way in app.ways
            if way.route in weighted
        ]
        failed = len(records.requests.where(records.requests.failed))
        assert failed, "no client saw the broken version, so nothing was shown"
    numbers(failed_requests=failed, after_the_abort="; ".join(map(str, gone)))


def _others(app: Trial) -> dict[str, float]:
    """The rate of each way to the app but the first one: a verdict on a way takes 1,000 responses."""
    return {way.name: _RATE for way in app.ways if way.name != ACTIVE}


def _require_listed(app: Trial) -> None:
    """The file in the trial's folder has the reason of every change."""
    listed = (app.folder / "changes.diff").read_text()
    assert app.changes
    assert not [each for each in app.changes if each.why not in listed]
