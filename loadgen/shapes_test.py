from __future__ import annotations

import math

import pytest

from fixtures.core.errors import FiredampError
from loadgen.shapes import Constant

LOADS = [(Constant(200, 10), 2000), (Constant(0.5, 10), 5), (Constant(0.8, 3), 2)]


@pytest.mark.parametrize(("load", "total"), LOADS)
def test_a_schedule_holds_as_many_requests_as_the_rate_adds_up_to(load: Constant, total: int) -> None:
    times = list(load.send_times())
    assert len(times) == total
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= load.duration_s


@pytest.mark.parametrize(("load", "total"), LOADS)
def test_what_is_asked_so_far_is_what_the_schedule_holds_so_far(load: Constant, total: int) -> None:
    times = list(load.send_times())
    # Between the send times, where rounding does not decide.
    for moment in (load.duration_s * part / 7.13 for part in range(8)):
        assert load.due(moment) == sum(time <= moment for time in times)
    assert load.due(load.duration_s + 1) == total
    assert load.due(-1) == 0


def test_a_constant_rate_is_evenly_spaced() -> None:
    times = list(Constant(4, 1).send_times())
    assert times == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_the_longest_load_is_15_minutes_and_the_default() -> None:
    assert Constant(1).duration_s == 900
    with pytest.raises(FiredampError, match="duration_s 901: expected a number <= 900"):
        Constant(1, 901)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Constant(0),
        lambda: Constant(-1, 10),
        lambda: Constant(math.nan, 10),
        lambda: Constant(math.inf, 10),
        lambda: Constant(1, 0),
    ],
)
def test_nonsense_is_refused(nonsense: type) -> None:
    with pytest.raises(FiredampError):
        nonsense()
