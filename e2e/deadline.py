"""Sets how long a new version may take to be available."""

from __future__ import annotations

from fixtures.kube.kinds import ROLLOUT
from fixtures.trial.trial import Trial


def give_up_after(app: Trial, seconds: int) -> None:
    """Have the next version aborted if it is not available in time.

    Do this after the start of the trial, because the first, good version may need more time.
    """
    app.kube.patch(ROLLOUT, "payments", app.namespace, {"spec": {"progressDeadlineSeconds": seconds}})
