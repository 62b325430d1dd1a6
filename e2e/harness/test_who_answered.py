"""Who answered is known without the app, and the app says the same.

`python -m e2e.harness.who_answered` compares as many answers as it is asked to.
"""

from __future__ import annotations

import pytest

from e2e.harness.who_answered.checking import check
from e2e.harness.who_answered.walk import SHORT_CANARY
from e2e.types import Report, StartTrial
from fixtures.trial.trial import Trial

_ENOUGH = 3000
_RATE = 100.0


@pytest.mark.every_provider
def test_gateway_and_app_name_the_same_pod_through_releases_aborts_and_restarts(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary", variant=SHORT_CANARY) as app:
        _compare(app, "canary", numbers)


def test_gateway_and_app_name_the_same_pod_behind_sidecars(trial: StartTrial, numbers: Report) -> None:
    with trial("canary", variant=SHORT_CANARY, mesh=True) as app:
        _compare(app, "canary", numbers)


def test_gateway_and_app_name_the_same_pod_in_active_and_preview(trial: StartTrial, numbers: Report) -> None:
    with trial("bluegreen") as app:
        _compare(app, "bluegreen", numbers)


def _compare(app: Trial, strategy: str, numbers: Report) -> None:
    result = check(app, strategy, answers=_ENOUGH, rate=_RATE)
    result.agreement.require_all()
    assert result.agreement.agreeing >= _ENOUGH
    assert len(result.agreement.versions) > 1, "with one version, nothing was told apart"
    numbers(answers_compared=str(result))
