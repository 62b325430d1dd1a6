"""What must hold when a version of the shop is released."""

from __future__ import annotations

from fixtures.conditions.conditions import promoted
from fixtures.judge.convergence import assert_gone
from fixtures.judge.verdicts import assert_no_errors
from fixtures.plugin.factories import Report, StartAppTrial
from fixtures.trial.trial import ACTIVE


def test_a_good_version_is_promoted_without_a_failed_request(
    app_under_test: StartAppTrial, numbers: Report
) -> None:
    """Clients notice nothing of a good release."""
    with app_under_test("k8s") as app:
        with app.traffic(100):
            app.deploy("1.1")
            took = app.wait(promoted("1.1"), within=120)
            app.stays_promoted("1.1")
        answered = assert_no_errors(app.records(), stream=ACTIVE)
    numbers(deploy_to_promoted=f"{took:.1f} s", failed_requests=f"0 of {answered:,}")


def test_clients_are_off_a_version_that_answers_500(app_under_test: StartAppTrial, numbers: Report) -> None:
    """A broken version is aborted, and clients do not get it any more."""
    with app_under_test("k8s") as app:
        with app.traffic(100):
            app.deploy("1.2-5xx")
            app.wait_contained("1.2-5xx", within=60)
            app.stays_contained("1.2-5xx")
        after = assert_gone(app.records(), stream=ACTIVE, version="1.2-5xx", allow=6)
    numbers(answers_after_the_abort=after)
