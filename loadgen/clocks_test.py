from __future__ import annotations

import pytest
from msgspec.structs import replace

from fixtures.core.clock import ClockError
from loadgen.clocks import require_end, require_start
from loadgen.records import Request
from loadgen.records_test import request
from loadgen.status import Status

# By the harness's clock: started, its first status read, told to stop, ended.
SPAWNED, SEEN, STOPPING, ENDED = 999.5, 1000.3, 1020.0, 1020.4


def status(t: float, until: float | None = None) -> Status:
    return Status(t=t, began=1000.0, until=until or t, sent={}, starved={}, cpu_s=0)


def run(offset: float) -> tuple[list[Status], list[Request]]:
    """A run whose load generator has a clock that is so many seconds ahead of the harness's."""
    said = [status(1000.0), status(1000.25), status(1020.02), status(1020.3, until=1020.02)]
    shifted = [replace(s, t=s.t + offset, began=s.began + offset, until=s.until + offset) for s in said]
    times = [1000.0025 + n / 10 + offset for n in range(200)]
    return shifted, [request(t, intended=t, received=t + 0.004) for t in times]


def judge(statuses: list[Status], requests: list[Request]) -> None:
    require_start(statuses[0], spawned=SPAWNED, seen=SEEN)
    judge_end(statuses, requests)


def judge_end(statuses: list[Status], requests: list[Request], stopping: float | None = STOPPING) -> None:
    first = min((each.t for each in requests), default=None)
    last = max((each.received for each in requests), default=None)
    require_end(statuses, first=first, last=last, stopping=stopping, ended=ENDED)


def test_one_clock_is_accepted() -> None:
    judge(*run(0))


@pytest.mark.parametrize("offset", [-600.0, -3.0, -0.6, 0.4, 3.0, 600.0])
def test_a_constant_offset_of_the_load_generators_clock_is_noticed(offset: float) -> None:
    with pytest.raises(ClockError, match="clocks of harness and load generator differ by"):
        judge(*run(offset))


@pytest.mark.parametrize("offset", [-3.0, -0.03, 0.5, 3.0])
def test_an_offset_is_noticed_at_the_end_where_the_start_took_its_time(offset: float) -> None:
    statuses, requests = run(offset)
    with pytest.raises(ClockError):
        judge_end(statuses, requests)


@pytest.mark.parametrize("offset", [-3.0, -0.1, 0.6, 3.0])
def test_an_offset_of_the_requests_alone_is_noticed(offset: float) -> None:
    with pytest.raises(ClockError, match=r"a request was sent before|an answer came after"):
        judge(run(0)[0], run(offset)[1])


def test_a_load_that_ended_by_itself_was_not_told_to_stop() -> None:
    _, requests = run(0)
    said = [status(1000.0), status(1010.0)]
    judge_end(said, requests[:100], stopping=None)
    with pytest.raises(ClockError, match="stopped before it was told to"):
        judge_end(said, requests[:100])


def test_a_load_that_sent_nothing_has_a_clock_too() -> None:
    with pytest.raises(ClockError):
        judge(run(3)[0], [])
