from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.core.errors import FiredampError
from loadgen.elsewhere import Elsewhere
from loadgen.generators import OneProcess, Processes
from loadgen.keys import make_key
from loadgen.workers import Workers, generator_of, parse_workers


@pytest.mark.parametrize(("text", "number"), [("", 0), ("0", 0), (4, 4), (" 4 ", 4), ("100", 100)])
def test_a_number_of_workers(text: int | str, number: int) -> None:
    assert parse_workers(text) == Workers(number)


def test_workers_in_the_cluster() -> None:
    assert parse_workers(" in-cluster:4") == Workers(4, in_cluster=True)


@pytest.mark.parametrize(
    "text",
    ["101", -1, "four", "4.0", "²", "in-cluster", "in-cluster:0", "in-cluster:", True],
)
def test_what_is_no_number_of_workers_is_refused(text: int | str) -> None:
    with pytest.raises(FiredampError, match=r"--load-workers: .* cannot be the workers of a load"):
        parse_workers(text, "--load-workers")


def test_workers_on_other_machines() -> None:
    addresses = (("10.0.0.5", 5557), ("load-2.example", 80), ("fd00::1", 5557))
    written = " 10.0.0.5:5557, load-2.example:80,[fd00::1]:5557"
    assert parse_workers(written) == Workers(3, addresses=addresses)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.5:0", "is not a port"), ("10.0.0.5:65536", "is not a port"), (":5557", "is no host"),
        ("10.0.0.5:5557,", "is no host"), ("http://10.0.0.5:5557", "is not a port"),
        ("fd00::1:5557", "is not a port"),
        ("10.0.0.5:1,10.0.0.5:1", "10.0.0.5:1 is named twice"),
        (",".join(f"10.0.0.5:{port}" for port in range(1, 102)), "there are 101"),
    ],
)  # fmt: skip
def test_what_is_no_worker_on_another_machine_is_refused(text: str, why: str) -> None:
    with pytest.raises(FiredampError, match=rf"--load-workers: .*{why}|--load-workers: {why}"):
        parse_workers(text, "--load-workers")


def test_workers_on_other_machines_need_a_key(tmp_path: Path) -> None:
    workers = parse_workers("10.0.0.5:5557")
    with pytest.raises(FiredampError, match="are known by a key, and none is named"):
        generator_of(workers)
    make_key(tmp_path / "key")
    generator = generator_of(workers, key=tmp_path / "key", most_users=7)
    assert isinstance(generator, Elsewhere)
    assert (generator.workers, generator.most_users) == (1, 7)


def test_a_load_has_workers_only_if_they_are_asked_for() -> None:
    one, several = generator_of(Workers(), most_users=7), generator_of(Workers(3), most_users=7)
    assert isinstance(one, OneProcess)
    assert isinstance(several, Processes)
    assert (one.workers, several.workers) == (0, 3)
    assert one.most_users == several.most_users == 7
