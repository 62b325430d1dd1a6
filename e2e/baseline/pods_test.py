from __future__ import annotations

from dataclasses import replace

import pytest

from e2e.baseline.pods import CONVERGENCE_SECONDS, Stage, ready_shares
from fixtures.judge.verdicts import Window
from fixtures.timeline.records import PodRecord, ReplicaSetRecord
from fixtures.timeline.records_for_test import make, run
from fixtures.trial.trial import ACTIVE
from loadgen.records import Request

OLD, NEW = "1.0", "1.1"


def pod(t: float, version: str, *, ready: bool = True) -> PodRecord:
    return make(PodRecord, t, name=version, hash=version, image=f"payments:{version}", ready=ready)


def noticed(pods: list[PodRecord], *, after: float = 0) -> list[ReplicaSetRecord]:
    """Each pod is that of a ReplicaSet whose status follows so many seconds later."""
    return [
        make(ReplicaSetRecord, each.t + after, name=each.name, hash=each.hash, ready=int(each.ready))
        for each in pods
    ]


def answer(t: float, version: str) -> Request:
    about = {"version": version, "pod": version, "stream": ACTIVE}
    return make(Request, t, intended=t, received=t, status=200, **about)


def answers(begin: float, end: float, version: str) -> list[Request]:
    return [answer(0.1 * n, version) for n in range(round(10 * begin), round(10 * end))]


@pytest.mark.parametrize(("came", "start"), [(12.0, 12.0), (19.0, 9.75 + CONVERGENCE_SECONDS)])
def test_a_stage_begins_with_the_first_answer_of_its_latest_pod_unless_that_comes_much_too_late(
    came: float, start: float
) -> None:
    pods = [pod(0, OLD), pod(10, NEW), pod(30, OLD, ready=False)]
    sent = answers(0, 29.8, OLD) + answers(came, 29.8, NEW)

    *_, stage = ready_shares(run(pods, noticed(pods), sent), NEW)

    assert rounded(stage) == Stage(Window(start, 29.7), new=1, total=2)


@pytest.mark.parametrize(("left", "end"), [(28.0, 27.9), (22.0, 29.75 - CONVERGENCE_SECONDS)])
def test_a_stage_ends_with_the_last_answer_of_the_pod_that_leaves_unless_that_comes_much_too_early(
    left: float, end: float
) -> None:
    pods = [pod(0, OLD), pod(10, NEW), pod(30, OLD, ready=False)]
    sent = answers(0, left, OLD) + answers(10, 30, NEW)

    *_, stage = ready_shares(run(pods, noticed(pods), sent), NEW)

    assert rounded(stage) == Stage(Window(10.0, end), new=1, total=2)


def test_a_stage_ends_with_the_first_answer_of_a_pod_that_the_watch_has_not_told_of() -> None:
    pods = [pod(0, OLD), pod(30, NEW)]
    sent = answers(0, 30, OLD) + answers(27, 30, NEW)

    *_, stage = ready_shares(run(pods, noticed(pods), sent), NEW)

    assert rounded(stage) == Stage(Window(0.0, 27.0), new=0, total=1)


def test_a_stage_begins_after_the_last_answer_of_a_pod_that_is_not_ready_any_more() -> None:
    pods = [pod(0, OLD), pod(0, NEW), pod(10, OLD, ready=False), pod(30, NEW, ready=False)]
    sent = [answer(9.5, OLD), *answers(10.5, 29.8, NEW), answer(13.0, OLD)]

    *_, stage = ready_shares(run(pods, noticed(pods), sent), NEW)

    assert rounded(stage) == Stage(Window(13.0, 29.7), new=1, total=1)


def test_a_stage_begins_when_the_controller_manager_has_noticed_it() -> None:
    pods = [pod(0, OLD), pod(10, NEW), pod(40, OLD, ready=False)]
    sent = answers(0, 40, OLD) + answers(32, 40, NEW)

    *_, stage = ready_shares(run(pods, noticed(pods, after=20), sent), NEW)

    assert rounded(stage) == Stage(Window(32.0, 39.7), new=1, total=2)


def test_a_stage_that_it_has_never_noticed_is_none() -> None:
    pods = [pod(0, OLD), pod(10, NEW), pod(30, OLD, ready=False)]
    sent = answers(0, 30, OLD)

    assert not [*ready_shares(run(pods, noticed(pods, after=25), sent), NEW)]


def rounded(stage: Stage) -> Stage:
    window = stage.window
    return replace(stage, window=Window(round(window.start, 3), round(window.end, 3)))
