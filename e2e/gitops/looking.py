"""Argo CD is asked to look until it has seen something."""

from __future__ import annotations

import time

from fixtures.core.errors import ConditionNotMetError
from fixtures.gitops_trial import GitOpsTrial
from fixtures.rollout.expectation import Condition

_LOOK_SECONDS = 5.0


def wait_looking(app: GitOpsTrial, condition: Condition, *, within: float) -> float:
    """Have Argo CD look at the repository until a condition is met, and return how many seconds that took.

    It looks once for each time that it is asked, and perhaps before it has heard of what has changed in
    the cluster: credentials, or that a server or a part of its own is back.

    Raises:
        ConditionNotMetError: It failed, or is pending after `within` seconds.
    """
    began = time.monotonic()
    while True:
        app.application.refresh()
        try:
            app.wait(condition, within=_LOOK_SECONDS)
        except ConditionNotMetError:
            if time.monotonic() - began > within:
                raise
        else:
            return time.monotonic() - began
