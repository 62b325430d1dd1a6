from __future__ import annotations

from e2e.bluegreen.switching import SERVICE, ready_pods_behind
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import PodRecord, ReplicaSetRecord, ServiceRecord
from fixtures.timeline.records_for_test import make, run


def pod(t: float, version: int, name: str, *, ready: bool) -> PodRecord:
    return make(PodRecord, t, name=name, image="payments:1.1", ready=ready, resource_version=version)


def recording_of(*pods: PodRecord) -> Recording:
    switch = ServiceRecord(t=5.0, name=SERVICE, hash="new", resource_version=100)
    of_new = make(ReplicaSetRecord, 1.0, name="payments-new", hash="new", image="payments:1.1")
    return run([of_new, switch], pods)


def test_pods_that_were_ready_before_the_switch_count_however_late_that_was_told() -> None:
    late = [pod(2.0, 50, "a", ready=True), pod(9.0, 90, "b", ready=True)]
    assert ready_pods_behind(recording_of(*late), "1.1") == 2


def test_pods_that_were_ready_after_the_switch_do_not_count_however_soon_that_was_told() -> None:
    soon = [pod(2.0, 50, "a", ready=True), pod(4.9, 110, "b", ready=True), pod(4.8, 99, "c", ready=False)]
    assert ready_pods_behind(recording_of(*soon), "1.1") == 1
