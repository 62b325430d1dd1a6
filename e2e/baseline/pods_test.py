from __future__ import annotations

import pytest

from e2e.baseline.pods import CONVERGENCE_SECONDS, Stage, ready_shares
from fixtures.rollout.timeline import Record
from fixtures.rollout.verdicts import Window
from fixtures.trial import ACTIVE

OLD, NEW = "1.0", "1.1"


def pod(t: float, version: str, *, ready: bool = True) -> Record:
    return {"t": t, "kind": "pod", "name": version, "image": f"payments:{version}", "ready": ready}


def answer(t: float, version: str) -> Record:
    return {
        "t": t, "kind": "request", "intended": t, "received": t, "latency_ms": 1.0, "service_ms": 1.0,
        "status": 200, "version": version, "pod": version, "host": "payments", "path": "/payments",
        "lane": ACTIVE, "reused": True, "error": None,
    }  # fmt: skip


@pytest.mark.parametrize(("came", "start"), [(12.0, 12.0), (19.0, 9.75 + CONVERGENCE_SECONDS)])
def test_a_stage_begins_with_the_first_answer_of_its_latest_pod_unless_that_comes_much_too_late(
    came: float, start: float
) -> None:
    records = [pod(0, OLD), pod(10, NEW), pod(30, OLD, ready=False)]
    records += [answer(0.1 * n, OLD) for n in range(300)] + [answer(came, NEW)]

    *_, stage = ready_shares(records, NEW)

    assert stage == Stage(Window(start, 29.75), new=1, total=2)


def test_a_stage_begins_after_the_last_answer_of_a_pod_that_is_not_ready_any_more() -> None:
    records = [pod(0, OLD), pod(0, NEW), pod(10, OLD, ready=False), pod(30, NEW, ready=False)]
    records += [answer(9.9, OLD), answer(10.5, NEW), answer(13.0, OLD)]

    *_, stage = ready_shares(records, NEW)

    assert stage == Stage(Window(13.0, 29.75), new=1, total=1)
