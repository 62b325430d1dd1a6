"""A smoke test of the payments API, as a delivery pipeline runs it against the preview."""

from __future__ import annotations

import requests

from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Object
from fixtures.trial.trial import Trial

_SECONDS = 60.0

_ORDER = {"amount": 1250, "currency": "EUR", "payee": "smoke test"}


def smoke_test(app: Trial, version: str) -> list[str]:
    """What is wrong with the version behind the preview's host; empty when it may be promoted.

    Raises:
        ConditionNotMetError: The preview's host never led to that version.
    """

    def ask() -> dict[str, requests.Response]:
        # All of them: the gateway's threads hear of a change one after the other.
        answers = {"create a payment": _send(app, "POST", _ORDER), "list payments": _send(app, "GET")}
        for answer in answers.values():
            if answer.headers.get("x-version") != version:
                raise PendingError(f"HTTP {answer.status_code} from {answer.headers.get('x-version')}")
        return answers

    answers = until(ask, what=f"{version} behind {app.hosts[1]}", timeout=_SECONDS)
    return [f"{what}: HTTP {answer.status_code}" for what, answer in answers.items() if not answer.ok]


def wait_for_preview(app: Trial, status: int) -> None:
    """Return when the preview's host answers with a status.

    Raises:
        ConditionNotMetError: It did not within a minute.
    """

    def answers() -> None:
        answer = _send(app, "GET")
        if answer.status_code != status:
            raise PendingError(f"HTTP {answer.status_code}")

    until(answers, what=f"HTTP {status} from {app.hosts[1]}", timeout=_SECONDS)


def _send(app: Trial, method: str, body: Object | None = None) -> requests.Response:
    url, host = f"{app.environment.gateway_url}/payments", {"Host": app.hosts[1]}
    try:
        return loopback.request(method, url, json=body, headers=host, timeout=5)
    except requests.RequestException as error:
        raise PendingError(str(error)) from error
