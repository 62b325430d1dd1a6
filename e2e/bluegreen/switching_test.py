from __future__ import annotations

from e2e.bluegreen.switching import SERVICE, ready_pods_behind
from fixtures.timeline.timeline import Record


def pod(t: float, version: int, name: str, *, ready: bool) -> Record:
    image = "payments:1.1"
    return {"t": t, "kind": "pod", "name": name, "image": image, "ready": ready, "resource_version": version}


def told(*pods: Record) -> list[Record]:
    switch = {"t": 5.0, "kind": "service", "name": SERVICE, "hash": "new", "resource_version": 100}
    of_new = {"t": 1.0, "kind": "replicaset", "hash": "new", "image": "payments:1.1"}
    return sorted([of_new, switch, *pods], key=lambda record: record["t"])


def test_pods_that_were_ready_before_the_switch_count_however_late_that_was_told() -> None:
    late = [pod(2.0, 50, "a", ready=True), pod(9.0, 90, "b", ready=True)]
    assert ready_pods_behind(told(*late), "1.1") == 2


def test_pods_that_were_ready_after_the_switch_do_not_count_however_soon_that_was_told() -> None:
    soon = [pod(2.0, 50, "a", ready=True), pod(4.9, 110, "b", ready=True), pod(4.8, 99, "c", ready=False)]
    assert ready_pods_behind(told(*soon), "1.1") == 1
