from __future__ import annotations

import random
from pathlib import Path

import pytest

from turns.turn import SHARES, Commit, turn_of


def turns(path: Path, numbers: list[int]) -> list[int]:
    return [turn_of(Commit(f"commit {number}", number), path) for number in numbers]


@pytest.mark.parametrize("seed", range(20))
def test_six_runs_in_a_row_have_every_share_however_many_commits_lie_between_them(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    shares = turns(tmp_path / "shares.json", sorted(chance.sample(range(1000), 30)))
    for first in range(len(shares) - SHARES + 1):
        assert sorted(shares[first : first + SHARES]) == list(range(1, SHARES + 1))


def test_where_nothing_is_kept_six_commits_in_a_row_have_every_share(tmp_path: Path) -> None:
    shares = [turns(tmp_path / str(number) / "shares.json", [number])[0] for number in range(40, 46)]
    assert sorted(shares) == list(range(1, SHARES + 1))


def test_a_commit_that_comes_again_has_the_same_share_and_takes_no_turn(tmp_path: Path) -> None:
    path = tmp_path / "shares.json"
    once = turns(path, [1, 2, 3])
    assert turns(path, [2, 3, 3, 1]) == [once[1], once[2], once[2], once[0]]
    assert sorted(once + turns(path, [4, 5, 6])) == list(range(1, SHARES + 1))


@pytest.mark.parametrize("text", ["", "{", "3", '{"a": 1}', '[["a"]]', '[["a", "b"]]', "[null]"])
def test_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shares.json"
    path.write_text(text)
    assert turns(path, [6]) == [1]
    assert turns(path, [6]) == [1]
