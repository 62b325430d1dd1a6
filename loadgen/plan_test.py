from __future__ import annotations

import pytest

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from loadgen.plan import Call, Lane, Plan, make_plan
from loadgen.shapes import Constant, Ramp

SHAPE = Constant(200, 10)
EPOCH = Epoch(wall=1_800_000_000.125, monotonic=12.5)
LANE = Lane("active", "payments.ns")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://127.0.0.1:8080"),
        ("http://10.1.2.3", "http://10.1.2.3:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_loopback_and_private_addresses_may_be_loaded(url: str, target: str) -> None:
    assert make_plan(url, (LANE,), SHAPE, 10, epoch=EPOCH).url == target


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8", "http://[2606:4700::1111]:80", "http://0.0.0.0:80", "http://224.0.0.1"]
)
def test_public_addresses_are_refused(url: str) -> None:
    with pytest.raises(FiredampError, match="never loads what others run"):
        make_plan(url, (LANE,), SHAPE, 10, epoch=EPOCH)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://127.0.0.1",
        "127.0.0.1:80",
        "http://127.0.0.1/x",
        "http://127.0.0.1:99999",
    ],
)
def test_what_is_not_a_plain_address_is_refused(url: str) -> None:
    with pytest.raises(FiredampError):
        make_plan(url, (LANE,), SHAPE, 10, epoch=EPOCH)


def test_a_plan_survives_the_way_to_another_process() -> None:
    calls = (Call(weight=3), Call("/payments", "POST", headers={"x-test": "é"}, body='{"a": 1}'))
    lanes = (
        Lane("active", "payments.ns", calls),
        Lane("preview", "preview.payments.ns", shape=Ramp(1, 5, 60)),
    )
    plan = make_plan("http://127.0.0.1:80", lanes, SHAPE, 2.5, epoch=EPOCH)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_lane_has_the_shape_of_the_traffic_unless_it_has_its_own() -> None:
    plan = make_plan(
        "http://127.0.0.1", (LANE, Lane("slow", "x", shape=Constant(10, 60))), SHAPE, 10, epoch=EPOCH
    )
    assert [lane.shape.peak for lane in plan.lanes] == [200, 10]
    assert plan.duration == 60


def test_there_are_users_for_one_second_of_stalled_answers() -> None:
    plan = make_plan(
        "http://127.0.0.1",
        (LANE, Lane("few", "x", users=3), Lane("slow", "x", shape=Constant(1))),
        SHAPE,
        10,
        epoch=EPOCH,
    )
    assert [lane.users for lane in plan.lanes] == [200, 3, 10]


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Lane("../x", "h"),
        lambda: Lane("a", "h", calls=()),
        lambda: Lane("a", "h", users=0),
        lambda: Call("payments"),
        lambda: Call(weight=0),
        lambda: make_plan("http://127.0.0.1", (), SHAPE, 10, epoch=EPOCH),
        lambda: make_plan("http://127.0.0.1", (LANE, LANE), SHAPE, 10, epoch=EPOCH),
        lambda: make_plan("http://127.0.0.1", (LANE,), SHAPE, 0, epoch=EPOCH),
    ],
)
def test_nonsense_is_refused(nonsense: type) -> None:
    with pytest.raises(FiredampError):
        nonsense()
