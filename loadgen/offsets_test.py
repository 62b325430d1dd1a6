from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.offsets import Exchange, Offset, best

DELAYS = st.floats(min_value=0.0, max_value=2.0)


@given(st.floats(min_value=-1000, max_value=1000), st.lists(st.tuples(DELAYS, DELAYS), min_size=1))
def test_the_true_offset_is_always_within_what_is_said(
    true: float, delays: list[tuple[float, float]]
) -> None:
    offset = best(exchange(1e6 + number * 10, true, *each) for number, each in enumerate(delays))
    assert offset is not None
    assert abs(offset.seconds - true) <= offset.within + 1e-6
    assert offset.within == pytest.approx(min(sum(each) for each in delays) / 2, abs=1e-6)


def test_a_quick_exchange_tells_more_than_slow_ones() -> None:
    draw = random.Random(7)
    slow = [exchange(number, 0.02, draw.uniform(0.1, 0.3), draw.uniform(0.1, 0.3)) for number in range(20)]
    unknown = best(slow)
    quick = best([*slow, exchange(30, 0.02, 0.0004, 0.0001)])
    assert unknown is not None
    assert not unknown.is_acceptable
    assert quick is not None
    assert quick.is_acceptable
    assert quick.seconds == pytest.approx(0.02, abs=0.00026)
    assert quick.within == pytest.approx(0.00025, abs=1e-5)


@pytest.mark.parametrize(
    ("seconds", "within", "is_acceptable", "correction"),
    [
        (0.0002, 0.0005, True, 0.0),  # they may show the same time
        (0.0300, 0.0005, True, 0.03),
        (-0.0300, 0.0005, True, -0.03),
        (0.0496, 0.0005, False, 0.0496),
        (-0.0496, 0.0005, False, -0.0496),
        (0.0, 0.051, False, 0.0),  # they may be further apart than is allowed
    ],
)
def test_what_is_accepted_and_what_is_corrected(
    seconds: float, within: float, is_acceptable: bool, correction: float
) -> None:
    offset = Offset(seconds, within)
    assert (offset.is_acceptable, offset.correction) == (is_acceptable, correction)


def test_without_an_answer_nothing_is_known() -> None:
    assert best([]) is None


def exchange(sent: float, offset: float, there: float, back: float) -> Exchange:
    """What is seen of a clock that is ahead, if a question takes `there` seconds and its answer `back`."""
    return Exchange(sent, sent + there + offset, sent + there + back)
