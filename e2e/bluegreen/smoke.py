"""A smoke test of the payments API, as a delivery pipeline runs it against the preview."""

from __future__ import annotations

from typing import Any

import requests

from fixtures.core.answering import answer_of, until_answered, with_header, with_status
from fixtures.core.retry import until
from fixtures.trial.trial import Trial

_SECONDS = 60.0
_REQUEST_SECONDS = 5.0

_ORDER = {"amount": 1250, "currency": "EUR", "payee": "smoke test"}


def smoke_test(app: Trial, version: str) -> list[str]:
    """The failed checks of the version behind the preview's host; empty if it may be promoted.

    Raises:
        ConditionNotMetError: The preview's host never led to that version.
    """

    is_it = with_header("x-version", version)

    def ask() -> dict[str, requests.Response]:
        # Every request has to reach the version: the gateway's threads learn of a change one after the other.
        return {
            "create a payment": answer_of(**_preview(app), method="POST", json=_ORDER, accept=is_it),
            "list payments": answer_of(**_preview(app), accept=is_it),
        }

    answers = until(ask, what=f"{version} behind {app.hosts[1]}", timeout=_SECONDS)
    return [f"{what}: HTTP {answer.status_code}" for what, answer in answers.items() if not answer.ok]


def wait_for_preview(app: Trial, status: int) -> None:
    """Return when the preview's host answers with a status.

    Raises:
        ConditionNotMetError: It did not within a minute.
    """

    what = f"HTTP {status} from {app.hosts[1]}"
    until_answered(**_preview(app), what=what, timeout=_SECONDS, accept=with_status(status))


def _preview(app: Trial) -> dict[str, Any]:
    """The arguments that send a request to the preview."""
    return {
        "url": f"{app.environment.gateway_url}/payments",
        "headers": {"Host": app.hosts[1]},
        "seconds": _REQUEST_SECONDS,
    }
