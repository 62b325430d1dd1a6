from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadgen.division import WHOLE, Part
from loadgen.message import to_message
from loadgen.mix import Mix
from loadgen.shapes import Constant

WORKERS = st.integers(min_value=1, max_value=100)
SHAPES = st.builds(
    Constant, st.floats(min_value=0.5, max_value=500.0), st.floats(min_value=0.01, max_value=4.0)
)
MESSAGES = [to_message("GET", f"/{number}", "shop", {}, None) for number in range(4)]


@given(WORKERS, SHAPES)
def test_the_parts_of_all_workers_are_the_whole_schedule_and_each_request_is_in_one(
    count: int, shape: Constant
) -> None:
    parts = [list(Part(index, count).send_times(shape)) for index in range(count)]
    assert sorted(chain.from_iterable(parts)) == list(WHOLE.send_times(shape))
    assert [offset for _, offset in WHOLE.send_times(shape)] == list(shape.send_times())
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(WORKERS, st.integers(min_value=0, max_value=5_000))
def test_all_users_are_divided_and_each_worker_has_one_if_there_are_enough(count: int, users: int) -> None:
    divided = [Part(index, count).users(users) for index in range(count)]
    assert sum(divided) == users
    assert max(divided) - min(divided) <= 1
    assert users < count or min(divided) >= 1


@given(WORKERS, st.lists(st.floats(min_value=0.1, max_value=10.0), min_size=1, max_size=4), st.text())
def test_workers_together_send_the_calls_of_one_process(count: int, weights: list[float], seed: str) -> None:
    messages = MESSAGES[: len(weights)]
    alone, shape = Mix(seed, messages, weights), Constant(200, 1)
    expected = {number: alone[number] for number, _ in WHOLE.send_times(shape)}
    sent = {
        number: mix[number]
        for index in range(count)
        for mix in [Mix(seed, messages, weights)]
        for number, _ in Part(index, count).send_times(shape)
    }
    assert sent == expected


def test_calls_are_drawn_by_their_weights_independently_of_each_other() -> None:
    mix = Mix("active", MESSAGES[:2], [3, 1])
    drawn = [mix[number] is MESSAGES[0] for number in range(40_000)]
    assert abs(sum(drawn) / len(drawn) - 0.75) < 0.01
    # Workers take every n-th request; what each of them sends has the same weights.
    for count in (2, 3, 4, 7, 64):
        for index in (0, count - 1):
            mine = drawn[index::count]
            assert abs(sum(mine) / len(mine) - 0.75) < 5 * (0.75 * 0.25 / len(mine)) ** 0.5
    pairs = Counter(pairwise(drawn))
    assert abs(pairs[True, True] / len(drawn) - 0.75**2) < 0.015


def test_streams_draw_different_sequences_and_each_run_the_same() -> None:
    weights = [1.0] * 4
    one, again, other = (Mix(name, MESSAGES, weights) for name in ("active", "active", "preview"))
    numbers = range(200)
    assert [one[n] for n in numbers] == [again[n] for n in numbers] != [other[n] for n in numbers]
