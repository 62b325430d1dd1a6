from __future__ import annotations

import math

import pytest

from fixtures.core.errors import FiredampError
from loadgen.shapes import Constant, Pieces, Ramp, Shape, Spike, Steps

SHAPES: list[tuple[Shape, int]] = [
    (Constant(200, 10), 2000),
    (Constant(0.5, 10), 5),
    (Constant(0.8, 3), 2),
    (Ramp(0, 100, 10), 500),
    (Ramp(100, 0, 10), 500),
    (Steps(((10, 5), (0, 3), (50, 2))), 150),
    (Spike(10, 200, at_s=2, lasting_s=1, duration_s=5), 240),
]


@pytest.mark.parametrize(("shape", "total"), SHAPES)
def test_a_schedule_holds_as_many_requests_as_the_rate_adds_up_to(shape: Shape, total: int) -> None:
    times = list(shape.send_times())
    assert len(times) == total
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= shape.duration


@pytest.mark.parametrize(("shape", "total"), SHAPES)
def test_what_is_asked_so_far_is_what_the_schedule_holds_so_far(shape: Shape, total: int) -> None:
    times = list(shape.send_times())
    # Between the send times, where rounding does not decide.
    for moment in (shape.duration * part / 7.13 for part in range(8)):
        assert shape.asked(moment) == sum(time <= moment for time in times)
    assert shape.asked(shape.duration + 1) == total
    assert shape.asked(-1) == 0


def test_a_constant_rate_is_evenly_spaced() -> None:
    times = list(Constant(4, 1).send_times())
    assert times == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_a_ramp_sends_a_quarter_in_its_first_half() -> None:
    assert sum(time < 5 for time in Ramp(0, 100, 10).send_times()) == 125


def test_a_spike_peaks_where_it_says() -> None:
    times = list(Spike(10, 200, at_s=2, lasting_s=1, duration_s=5).send_times())
    assert sum(2 <= time < 3 for time in times) == 200


def test_the_peak_is_the_highest_rate() -> None:
    assert Spike(10, 200, 2, 1, 5).peak == 200


def test_pieces_are_any_shape_again() -> None:
    spike = Spike(10, 200, 2, 1, 5)
    assert list(Pieces(spike.segments).send_times()) == list(spike.send_times())


def test_the_longest_load_is_15_minutes_and_the_default() -> None:
    assert Constant(1).duration == 900
    with pytest.raises(FiredampError, match="duration_s 901: expected a number <= 900"):
        Constant(1, 901)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Constant(0),
        lambda: Constant(-1, 10),
        lambda: Constant(math.nan, 10),
        lambda: Ramp(1, math.inf, 10),
        lambda: Steps(()),
        lambda: Constant(1, 0),
        lambda: Spike(1, 2, at_s=4, lasting_s=2, duration_s=5),
    ],
)
def test_nonsense_is_refused(nonsense: type) -> None:
    with pytest.raises(FiredampError):
        nonsense()
