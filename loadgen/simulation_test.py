"""A load of 100 workers on paper: clocks that differ and drift, messages that take their time, and the merge.

No request is sent. Each worker's clock, its exchanges with the master and its records are computed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.core.record import to_line
from loadgen.division import Part
from loadgen.offsets import Exchange, Offset, best
from loadgen.records import Request
from loadgen.records_test import request
from loadgen.requests import Requests
from loadgen.shapes import Constant

BEGAN = 1_000_000.0


@dataclass(frozen=True)
class Clock:
    """A clock that is ahead by some seconds at the beginning, and gains some in each second."""

    ahead: float
    drift: float

    def shows(self, true: float) -> float:
        return true + self.ahead + self.drift * (true - BEGAN)


@dataclass(frozen=True)
class Network:
    """Messages take at least 0.1 ms each way, and now and then much longer."""

    draw: random.Random
    slow: float

    def delay(self) -> float:
        return 0.0001 + self.draw.expovariate(1 / 0.0005) + (self.slow if self.draw.random() < 0.2 else 0.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=1, max_value=100), st.integers(min_value=0, max_value=2**32), st.booleans())
def test_merged_records_have_the_true_times_within_what_was_measured(
    count: int, seed: int, is_slow: bool
) -> None:
    draw = random.Random(seed)
    network = Network(draw, 0.03 if is_slow else 0.0)
    clocks = [Clock(draw.uniform(-0.03, 0.03), draw.uniform(-5e-5, 5e-5)) for _ in range(count)]
    shape = Constant(2 * count, 10)
    merged: list[Request] = []
    errors: list[float] = []
    for index, clock in enumerate(clocks):
        offset = measured(clock, network, BEGAN - 1)
        assert offset.is_acceptable
        corrected = Clock(clock.ahead - offset.correction, clock.drift)
        merged += records(corrected, Part(index, count), shape)
        # As large as the correction may be, and what the clock gains in the 11 s from when it was compared.
        errors.append((offset.within if offset.correction else abs(clock.ahead)) + 11 * 5e-5)
    requests = Requests.of(merged)
    true = np.array(sorted(BEGAN + offset for offset in shape.send_times()))
    assert len(requests) == len(true)
    assert np.all(requests.t[1:] >= requests.t[:-1])
    # Sorting does not make the largest error larger.
    assert np.max(np.abs(requests.t - true)) <= max(errors) + 1e-5


@given(st.floats(min_value=-1e4, max_value=1e4), st.integers(min_value=0, max_value=2**32))
def test_whatever_is_more_than_50_ms_off_is_refused(ahead: float, seed: int) -> None:
    offset = measured(Clock(ahead, 0.0), Network(random.Random(seed), 0.2), BEGAN)
    assert abs(offset.seconds - ahead) <= offset.within + 1e-6
    if abs(ahead) > 0.05 + 1e-6:
        assert not offset.is_acceptable


def test_a_clock_that_runs_away_during_the_run_is_noticed_at_the_end() -> None:
    network = Network(random.Random(1), 0.0)
    clock = Clock(0.0, 1e-4)
    assert measured(clock, network, BEGAN).is_acceptable
    assert not measured(clock, network, BEGAN + 600).is_acceptable


def test_what_a_record_weighs() -> None:
    """docs/load.md computes with these."""
    line = to_line(
        request(
            1_790_000_000.123456, intended=1_790_000_000.123, version=None, pod=None,
            upstream="10.244.0.17:8080", claimed="1.2-5xx", claimed_pod="payments-7d9c6b5f4-x2x8q",
        )
    )  # fmt: skip
    assert len(line) == pytest.approx(340, abs=40)


def measured(clock: Clock, network: Network, at: float) -> Offset:
    exchanges = []
    for number in range(20):
        sent = at + number * 0.3
        arrives = sent + network.delay()
        exchanges.append(Exchange(sent, clock.shows(arrives), arrives + network.delay()))
    offset = best(exchanges)
    assert offset is not None
    return offset


def records(clock: Clock, part: Part, shape: Constant) -> list[Request]:
    times = (clock.shows(BEGAN + offset) for _, offset in part.send_times(shape))
    return [request(t, intended=t) for t in times]
