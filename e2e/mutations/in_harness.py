"""Faults in the harness itself. With each of them the test must fail."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from e2e.mutations import in_cluster
from e2e.mutations.fault import Fault
from fixtures.conditions.conditions import weight_is
from fixtures.kube.client import Object
from fixtures.kube.kinds import POD, VIRTUAL_SERVICE
from fixtures.timeline import extraction as records
from fixtures.timeline.object_record import ObjectRecord
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import PodRecord, WeightRecord
from fixtures.timeline.timeline import AnyKind, Timeline
from fixtures.trial.trial import Trial
from loadgen.plan import LoadPlan
from loadgen.records import Request
from loadgen.runner import Traffic

_ABORTED = "e2e/canary/test_abort.py::test_a_version_that_answers_5xx_is_aborted_and_gone"
_PROMOTED = "e2e/canary/test_promote.py::test_a_good_version_gets_the_share_of_each_step_and_then_everything"
_COMPARED = (
    "e2e/harness/test_who_answered.py::"
    "test_gateway_and_app_name_the_same_pod_through_releases_aborts_and_restarts"
)

_OFFSET_SECONDS = 3.0


def _stop_locust(patch: pytest.MonkeyPatch) -> None:
    begin = Traffic.__enter__

    def begin_and_stop(self: Traffic) -> Traffic:
        begin(self)
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)
        return self

    patch.setattr(Traffic, "__enter__", begin_and_stop)


def _read_everything_as(patch: pytest.MonkeyPatch, **changes: object) -> None:
    read = Trial.records

    def read_wrong(self: Trial) -> Recording:
        requests = read(self)
        return Recording(
            requests.others, (structs.replace(request, **changes) for request in requests.requests)
        )

    patch.setattr(Trial, "records", read_wrong)


def _load_clock_ahead(patch: pytest.MonkeyPatch) -> None:
    tell = LoadPlan.to_json

    def tell_another_epoch(self: LoadPlan) -> str:
        epoch = self.epoch._replace(wall=self.epoch.wall + _OFFSET_SECONDS)
        return tell(replace(self, epoch=epoch))

    patch.setattr(LoadPlan, "to_json", tell_another_epoch)


def _requests_read_early(patch: pytest.MonkeyPatch) -> None:
    read = Trial.records

    def read_early(self: Trial) -> Recording:
        requests = read(self)
        return Recording(requests.others, map(_earlier, requests.requests))

    patch.setattr(Trial, "records", read_early)


def _watch_early(patch: pytest.MonkeyPatch) -> None:
    add = Timeline.add

    def add_early(self: Timeline, record: AnyKind) -> AnyKind:
        is_watched = isinstance(record, ObjectRecord)
        return add(self, structs.replace(record, t=self.clock() - _OFFSET_SECONDS) if is_watched else record)

    patch.setattr(Timeline, "add", add_early)


def _earlier(request: Request) -> Request:
    return structs.replace(
        request,
        t=request.t - _OFFSET_SECONDS,
        intended=request.intended - _OFFSET_SECONDS,
        received=request.received - _OFFSET_SECONDS,
    )


def _all_stable(patch: pytest.MonkeyPatch) -> None:
    _read_everything_as(patch, version="1.0")


def _addresses_swapped(patch: pytest.MonkeyPatch) -> None:
    _record_addresses_as(patch, _neighbour)


def _addresses_left_out(patch: pytest.MonkeyPatch) -> None:
    _record_addresses_as(patch, lambda _: None)


def _record_addresses_as(patch: pytest.MonkeyPatch, change: Callable[[str], str | None]) -> None:
    def record_wrong(subject: Object) -> Sequence[ObjectRecord]:
        pods = records.pod(subject)
        return [structs.replace(pod, address=pod.address and change(pod.address)) for pod in pods]

    patch.setitem(records.RECORDED, POD, (PodRecord, record_wrong))


def _neighbour(address: str) -> str:
    """The next address for one with an even last number, and the one before for one with an odd number."""
    network, _, number = address.rpartition(".")
    return f"{network}.{int(number) ^ 1}"


def _all_well(patch: pytest.MonkeyPatch) -> None:
    _read_everything_as(patch, status=200, error=None)


def _without_virtual_services(patch: pytest.MonkeyPatch) -> None:
    # Taken out, it would be watched as what the router of the trial adds.
    patch.setitem(records.RECORDED, VIRTUAL_SERVICE, (WeightRecord, lambda _: ()))


def _stop_istiod(patch: pytest.MonkeyPatch) -> None:
    wait = Trial.wait_contained

    def stop_and_wait(self: Trial, version: str, *, within: float) -> None:
        self.wait(weight_is(5), within=30)
        self.holds(weight_is(5), for_=1)
        in_cluster.stop_istiod(self.kube)
        wait(self, version, within=within)

    patch.setattr(Trial, "wait_contained", stop_and_wait)


IN_HARNESS = (
    Fault(
        "load-sends-nothing", "Locust is killed after its first request", (_ABORTED,), harness=_stop_locust
    ),
    Fault(
        "istiod-is-stopped",
        "the VirtualService is written, and nobody tells the gateway",
        (_ABORTED,),
        harness=_stop_istiod,
    ),
    Fault(
        "every-answer-counts-as-stable",
        "the version in an answer is not read",
        (_PROMOTED,),
        harness=_all_stable,
    ),
    Fault(
        "addresses-are-swapped",
        "each pod is recorded with the address of its neighbour",
        (_COMPARED,),
        harness=_addresses_swapped,
    ),
    Fault(
        "addresses-are-not-recorded",
        "no pod is recorded with an address, so that nobody can tell who answered",
        (_PROMOTED, _COMPARED),
        harness=_addresses_left_out,
    ),
    Fault(
        "load-has-another-clock",
        "the load generator's clock is 3 s ahead of the harness's",
        (_ABORTED, _PROMOTED),
        harness=_load_clock_ahead,
    ),
    Fault(
        "requests-are-read-too-early",
        "the times of requests are 3 s too early, those of weights are right",
        (_ABORTED, _PROMOTED),
        harness=_requests_read_early,
    ),
    Fault(
        "watch-has-another-clock",
        "the times of all that is watched are 3 s too early, those of requests are right",
        (_ABORTED, _PROMOTED),
        harness=_watch_early,
    ),
    Fault("every-answer-counts-as-good", "statuses are not read", (_ABORTED,), harness=_all_well),
    Fault(
        "no-weights-are-recorded",
        "the weights of VirtualServices are not recorded",
        (_PROMOTED,),
        harness=_without_virtual_services,
    ),
)
