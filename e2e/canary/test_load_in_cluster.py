"""A canary under load that comes from inside the cluster is judged as any other."""

from __future__ import annotations

import pytest

from e2e.canary.aborting import abort_of_5xx
from e2e.types import Report, StartTrial
from fixtures.core.retry import PendingError, until
from fixtures.kube.kinds import POD
from fixtures.load.manifests import WORKER
from fixtures.trial.trial import Trial
from loadgen.report import InvalidLoadError
from loadgen.runner import Traffic
from loadgen.status import Status

_WORKERS = 4
# Locust's master misses three heartbeats, one a second; the harness reads of it within another second.
_NOTICED_SECONDS = 15


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


@pytest.mark.scenario("load-2")
def test_a_worker_that_is_lost_makes_the_run_invalid_and_is_named(trial: StartTrial) -> None:
    refusals: list[str] = []
    names: list[str] = []

    def lose_one(app: Trial) -> None:
        with app.traffic(50, workers="in-cluster:2") as load:
            pods, _ = app.kube.list(POD, selector=f"job-name={WORKER}")
            names.extend(pod["metadata"]["name"] for pod in pods)
            app.kube.delete(POD, names[0], pods[0]["metadata"]["namespace"], grace=0)
            until(lambda: refused(load), what="a refusal", timeout=_NOTICED_SECONDS)

    def refused(load: Traffic) -> None:
        try:
            load.require_flowing()
        except InvalidLoadError as error:
            refusals.append(error.message)
        else:
            raise PendingError("the load is accepted")

    with trial("deployment") as app:
        with pytest.raises(InvalidLoadError) as at_the_end:
            lose_one(app)
        lost, kept = names
        for message in (refusals[0], at_the_end.value.message):
            assert f"{lost} was " in message
            assert kept not in message.partition(";")[0]
