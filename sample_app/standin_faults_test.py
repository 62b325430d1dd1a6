"""Each fault of single requests, by each protocol that the stand-in speaks."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from sample_app import versions
from sample_app.api.release import Release
from sample_app.api.standin.app import Answer, App, Call, Pod
from sample_app.api.standin.settings import Probe

KUBELET = "kube-probe/1.37"
READINESS: Probe = {"use": "readiness", "kind": "http", "port": 80, "path": "/ready", "agent": "kube-probe/"}
# As `http2.py` and `App.__call__` describe what came.
PROTOCOLS = {
    "HTTP/1.1": Call(80, "GET", "/orders/7"),
    "h2c": Call(80, "POST", "/orders/7", body=b"{}"),
    "gRPC": Call(80, "POST", "/orders/7", is_grpc=True, body=b"\0\0\0\0\0"),
}
protocols = pytest.mark.parametrize("call", PROTOCOLS.values(), ids=PROTOCOLS)


def answers(tag: str, *calls: Call) -> list[Answer]:
    """What one process of a version answers to these requests, one after the other."""

    async def ask() -> list[Answer]:
        released = json.loads(versions.of(tag).version_json())
        app = App(
            Release(released["version"], released["fault"]),
            {
                "ports": [80],
                "probes": [READINESS],
                "scrape_port": 0,
                "scrape_path": "",
                "metrics": [],
                "routes": [],
                "linger": 0.0,
            },
            pod=Pod("shop-abc"),
            draining=lambda: False,
        )
        return [await app.answer(each) for each in calls]

    return asyncio.run(ask())


def failed(answer: Answer) -> bool:
    assert (answer.grpc is None) or answer.status == 200, "gRPC has its status behind the answer"
    return answer.status == 500 if answer.grpc is None else answer.grpc == 13


@protocols
@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1.1", [False] * 4),
        ("1.2-5xx", [True] * 4),
        ("1.2-5xx-at_orders", [True] * 4),
        ("1.2-5xx-at_carts", [False] * 4),
        ("1.2-firstfails", [True, False, False, False]),
        ("1.2-firstfails-at_orders_7", [True, False, False, False]),
        ("1.2-overload-2", [False, False, True, True]),
        ("1.2-leak-0.5", [False] * 4),
    ],
)
def test_a_fault_is_the_same_by_each_protocol(call: Call, tag: str, expected: list[bool]) -> None:
    assert [failed(each) for each in answers(tag, call, call, call, call)] == expected


@protocols
@pytest.mark.parametrize(("tag", "least"), [("1.2-slow-60", 0.06), ("1.2-slow-60-at_carts", 0.0)])
def test_a_slow_version_answers_well_and_late(call: Call, tag: str, least: float) -> None:
    began = time.monotonic()
    assert not failed(answers(tag, call)[0])
    took = time.monotonic() - began
    assert took >= least
    assert least or took < 0.06


@pytest.mark.parametrize(
    "tag", ["1.2-5xx", "1.2-firstfails", "1.2-overload-1", "1.2-leak-1", "1.2-5xx-at_ready"]
)
def test_the_kubelet_is_answered_without_the_fault(tag: str) -> None:
    probe = Call(80, "GET", "/ready", KUBELET)
    assert [each.status for each in answers(tag, probe, probe)] == [200, 200]


def test_a_probe_is_none_of_the_requests_that_count() -> None:
    probe, call = Call(80, "GET", "/ready", KUBELET), PROTOCOLS["HTTP/1.1"]
    assert [each.status for each in answers("1.2-firstfails", probe, call, call)] == [200, 500, 200]
    assert [each.status for each in answers("1.2-overload-1", call, probe, call)] == [200, 200, 500]
