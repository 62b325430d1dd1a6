from __future__ import annotations

import pytest

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from loadgen.plan import Call, LoadPlan, Stream, make_plan
from loadgen.shapes import Constant

SHAPE = Constant(200, 10)
EPOCH = Epoch(wall=1_800_000_000.125, monotonic=12.5)
STREAM = Stream("active", "payments.ns")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://127.0.0.1:8080"),
        ("http://10.1.2.3", "http://10.1.2.3:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.255.0.1:65535", "http://127.255.0.1:65535"),
        ("http://172.16.0.1:1", "http://172.16.0.1:1"),
        ("http://172.31.255.254", "http://172.31.255.254:80"),
        ("http://192.168.0.1", "http://192.168.0.1:80"),
        ("http://[fd12:3456::1]", "http://[fd12:3456::1]:80"),
    ],
)
def test_loopback_and_private_addresses_may_be_loaded(url: str, target: str) -> None:
    assert make_plan(url, (STREAM,), SHAPE, 10, epoch=EPOCH).url == target


# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, and edges.
@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "126.255.255.255", "128.0.0.1", "9.255.255.255", "11.0.0.0", "172.15.255.255"),
        *("172.32.0.0", "192.167.255.255", "192.169.0.0"),
        *("0.0.0.0", "0.1.2.3"),
        *("100.64.0.1", "169.254.0.1", "169.254.169.254", "192.0.0.1", "192.0.0.9"),
        *("192.0.2.1", "192.31.196.1", "192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1"),
        *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("[::]", "[::2]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:8.8.8.8]"),
        *("[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[100::1]", "[2001::1]", "[2001:2::1]", "[2001:db8::1]"),
        *("[2002:a00:1::1]", "[2606:4700::1111]", "[3fff::1]", "[5f00::1]", "[fbff::1]", "[fe80::1]"),
        *("[fe80::1%eth0]", "[fec0::1]", "[ff02::1]", "[ff05::2]"),
    ],
)
def test_what_is_neither_loopback_nor_private_is_refused(address: str) -> None:
    with pytest.raises(FiredampError, match="never loads what others run"):
        make_plan(f"http://{address}:80", (STREAM,), SHAPE, 10, epoch=EPOCH)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://127.0.0.1",
        "127.0.0.1:80",
        "http://127.0.0.1/x",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:x",
        "http://127.0.0.1:80#x",
        "http://127.0.0.1:80?x",
        "http://user:secret@127.0.0.1:80",
        "http://[::1",
        "http://[::1]x",
        "http://2130706433",
        "http://127.1",
        "http://",
        "",
    ],
)
def test_what_is_not_a_plain_address_is_refused(url: str) -> None:
    with pytest.raises(FiredampError) as refused:
        make_plan(url, (STREAM,), SHAPE, 10, epoch=EPOCH)
    assert "secret" not in str(refused.value)


def test_a_plan_survives_the_way_to_another_process() -> None:
    calls = (Call(weight=3), Call("/payments", "POST", headers={"x-test": "é"}, body='{"a": 1}'))
    streams = (
        Stream("active", "payments.ns", calls),
        Stream("preview", "preview.payments.ns", shape=Constant(5, 60)),
    )
    plan = make_plan("http://127.0.0.1:80", streams, SHAPE, 2.5, epoch=EPOCH)
    assert LoadPlan.from_json(plan.to_json()) == plan


def test_a_stream_has_the_shape_of_the_traffic_unless_it_has_its_own() -> None:
    plan = make_plan(
        "http://127.0.0.1", (STREAM, Stream("slow", "x", shape=Constant(10, 60))), SHAPE, 10, epoch=EPOCH
    )
    assert [stream.shape.rate for stream in plan.streams] == [200, 10]
    assert plan.duration == 60


def test_there_are_users_for_one_second_of_stalled_answers() -> None:
    plan = make_plan(
        "http://127.0.0.1",
        (STREAM, Stream("few", "x", users=3), Stream("slow", "x", shape=Constant(1))),
        SHAPE,
        10,
        epoch=EPOCH,
    )
    assert [stream.users for stream in plan.streams] == [200, 3, 10]


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Stream("../x", "h"),
        lambda: Stream("a", "h", calls=()),
        lambda: Stream("a", "h", users=0),
        lambda: Call("payments"),
        lambda: Call(weight=0),
        lambda: make_plan("http://127.0.0.1", (), SHAPE, 10, epoch=EPOCH),
        lambda: make_plan("http://127.0.0.1", (STREAM, STREAM), SHAPE, 10, epoch=EPOCH),
        lambda: make_plan("http://127.0.0.1", (STREAM,), SHAPE, 0, epoch=EPOCH),
    ],
)
def test_nonsense_is_refused(nonsense: type) -> None:
    with pytest.raises(FiredampError):
        nonsense()
