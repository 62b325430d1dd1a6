"""A smoke test of the payments API, as a delivery pipeline runs it against the preview."""

from __future__ import annotations

import requests

from fixtures.core.retry import PendingError, until
from fixtures.trial import Trial

_ORDER = {"amount": 1250, "currency": "EUR", "payee": "smoke test"}


def smoke_test(app: Trial, version: str) -> list[str]:
    """What is wrong with the version behind the preview's host; empty when it may be promoted.

    Raises:
        ConditionNotMetError: The preview's host never led to that version.
    """
    url, host = f"{app.environment.gateway_url}/payments", {"Host": app.hosts[1]}

    def is_there() -> None:
        answer = requests.get(url, headers=host, timeout=5)
        if answer.headers.get("x-version") != version:
            raise PendingError(f"HTTP {answer.status_code} from {answer.headers.get('x-version')}")

    until(is_there, what=f"{version} behind {app.hosts[1]}", timeout=30)
    answers = {
        "create a payment": requests.post(url, json=_ORDER, headers=host, timeout=5),
        "list payments": requests.get(url, headers=host, timeout=5),
    }
    return [f"{what}: HTTP {answer.status_code}" for what, answer in answers.items() if not answer.ok]


def wait_for_preview(app: Trial, status: int) -> None:
    """Return when the preview's host answers with a status.

    Raises:
        ConditionNotMetError: It did not within 15 s.
    """

    def answers() -> None:
        answer = requests.get(
            f"{app.environment.gateway_url}/payments", headers={"Host": app.hosts[1]}, timeout=5
        )
        if answer.status_code != status:
            raise PendingError(f"HTTP {answer.status_code}")

    until(answers, what=f"HTTP {status} from {app.hosts[1]}", timeout=15)
