from __future__ import annotations

import pytest

from fixtures.core.errors import FiredampError
from loadgen.generators import OneProcess, Processes
from loadgen.workers import Workers, generator_of, parse_workers


@pytest.mark.parametrize(("text", "number"), [("", 0), ("0", 0), (4, 4), (" 4 ", 4), ("100", 100)])
def test_a_number_of_workers(text: int | str, number: int) -> None:
    assert parse_workers(text) == Workers(number)


def test_workers_in_the_cluster() -> None:
    assert parse_workers(" in-cluster:4") == Workers(4, in_cluster=True)


@pytest.mark.parametrize(
    "text",
    ["101", -1, "four", "4.0", "²", "in-cluster", "in-cluster:0", "in-cluster:", "10.0.0.1:5557", True],
)
def test_what_is_no_number_of_workers_is_refused(text: int | str) -> None:
    with pytest.raises(FiredampError, match=r"--load-workers: .* cannot be the workers of a load"):
        parse_workers(text, "--load-workers")


def test_a_load_has_workers_only_if_they_are_asked_for() -> None:
    one, several = generator_of(Workers(), most_users=7), generator_of(Workers(3), most_users=7)
    assert isinstance(one, OneProcess)
    assert isinstance(several, Processes)
    assert (one.workers, several.workers) == (0, 3)
    assert one.most_users == several.most_users == 7
