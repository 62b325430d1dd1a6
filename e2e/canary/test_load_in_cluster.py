"""A canary under load that comes from inside the cluster is judged as any other."""

from __future__ import annotations

import pytest

from e2e.canary.aborting import abort_of_5xx
from e2e.types import Report, StartTrial
from loadgen.status import Status

_WORKERS = 4


@pytest.mark.every_provider
@pytest.mark.scenario("load-1")
def test_a_canary_is_judged_under_load_from_workers_in_the_cluster(
    trial: StartTrial, numbers: Report
) -> None:
    with trial("canary") as app:
        figures = abort_of_5xx(app, workers=f"in-cluster:{_WORKERS}")
        records = app.records()
    last = records.of(Status)[-1]
    sent = {name: worker.sent for name, worker in last.workers.items()}
    assert len(sent) == _WORKERS
    # Each has every fourth request, so that their numbers differ by what is under way at the end.
    assert min(sent.values()) > 0.9 * max(sent.values())
    assert sum(sent.values()) == len(records.requests), "not all that the workers sent has been collected"
    assert {worker.state for worker in last.workers.values()} == {"ended"}
    offsets = [offset for worker in last.workers.values() for offset in worker.offsets]
    assert len(offsets) == 2 * _WORKERS
    numbers(
        **figures,
        requests_by_worker=sorted(sent.values()),
        largest_offset_of_a_clock=str(max(offsets, key=lambda each: abs(each.seconds) + each.within)),
    )
