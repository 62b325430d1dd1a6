"""A Deployment is replaced by a Rollout, under load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from e2e.operations.migrating import delete_and_apply, refer
from e2e.types import EnterClaim, StartTrial
from fixtures.conditions.conditions import deployment_available, healthy
from fixtures.conditions.expectation import Condition
from fixtures.judge.verdicts import ENOUGH, Window, requests
from fixtures.kube.client import pods_of
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.extraction import HASH_LABEL
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import PodRecord
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.statistics import Share

_RATE = 100
_REPLICAS = 2


@pytest.mark.scenario("op-1")
@pytest.mark.parametrize(
    ("how", "migrate", "expected"),
    [
        ("delete and apply", delete_and_apply, DOES_NOT_HOLD),
        ("workloadRef, scaleDown: onsuccess", partial(refer, scale_down="onsuccess"), HOLDS),
        ("workloadRef, scaleDown: progressively", partial(refer, scale_down="progressively"), HOLDS),
    ],
    ids=["delete", "onsuccess", "progressively"],
)
def test_migration_under_load(
    trial: StartTrial, claim: EnterClaim, how: str, migrate: Callable[[Trial], Condition], expected: str
) -> None:
    with trial("deployment", replicas=_REPLICAS) as app:
        with app.traffic(_RATE):
            app.holds(deployment_available("1.0"), for_=3)
            began = app.timeline.clock()
            done = migrate(app)
            took = app.timeline.clock() - began
            # The old pods linger, and may be sent requests until the gateway knows that they end.
            app.holds(done, for_=max(8.0, ENOUGH / _RATE + 2 - took))
            app.wait(healthy(), within=30)
        records = app.records()

        before, during = (
            requests(records, ACTIVE, Window(end=began)),
            requests(records, ACTIVE, Window(began)),
        )
        assert before, "no load before the migration"
        assert not any(request.failed for request in before), "requests failed before it began"
        assert len(during) >= ENOUGH, f"only {len(during)} requests"
        assert during[-1].pod in _pods_of_the_rollout(app), "the Rollout's pods do not serve"
        bad = [request for request in during if request.failed]
        causes = Counter(request.error or str(request.status) for request in bad)
        claim(
            f"Deployment to Rollout by {how} is non-disruptive",
            expected=expected,
            found=DOES_NOT_HOLD if bad else HOLDS,
            evidence={
                "failed_requests": Share(len(bad), len(during)),
                "from_first_to_last_failure": f"{bad[-1].t - bad[0].t:.2f} s" if bad else "none",
                "causes": ", ".join(f"{n} x {cause}" for cause, n in causes.most_common(3)) or "none",
                "fewest_ready_pods": f"{_fewest_ready(records, began)} of {_REPLICAS}",
                "migration_took": f"{took:.1f} s",
            },
        )


def _pods_of_the_rollout(app: Trial) -> set[str]:
    """The pods that bear the label by which a Rollout tells its revisions apart."""
    return {str(pod["metadata"]["name"]) for pod in pods_of(app.kube, app.namespace, HASH_LABEL)}


def _fewest_ready(records: Recording, since: float) -> int:
    """How many pods were ready when they were fewest."""
    ready: set[str] = set()
    counts = []
    for pod in records.of(PodRecord):
        (ready.add if pod.ready and not pod.deleted else ready.discard)(pod.name)
        counts += [len(ready)] if pod.t >= since else []
    return min(counts)
