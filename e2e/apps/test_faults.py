"""Faults of versions that no image was built for, as the clients of a stand-in see them."""

from __future__ import annotations

from collections.abc import Iterator

from e2e.apps.answers import seen
from e2e.types import Report, StartAppTrial
from fixtures.conditions.conditions import paused_at
from fixtures.judge.verdicts import requests
from fixtures.kube.client import Object
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.plan import Call
from loadgen.records import Request

RATE, SLOWER_MS, PER_SECOND = 40, 300, 10
ONE_PATH, SLOW, FIRST = "1.2-5xx-at_items", f"1.2-slow-{SLOWER_MS}", "1.2-firstfails"
OVERLOAD, LEAK = f"1.2-overload-{PER_SECOND}", "1.2-leak-1000"
CRASH, NEVER_READY = "1.2-crash", "1.2-neverready"


def held_by_a_step(objects: list[Object]) -> None:
    """The canary waits at half of the traffic, nothing judges it, and a limit ends a pod that leaks."""
    (rollout,) = [each for each in objects if each["kind"] == "Rollout"]
    canary = rollout["spec"]["strategy"]["canary"]
    canary["steps"] = [{"setWeight": 50}, {"pause": {}}]
    del canary["analysis"]
    (container,) = rollout["spec"]["template"]["spec"]["containers"]
    container.setdefault("resources", {})["limits"] = {"memory": "128Mi"}


def deployed_one_after_the_other(app: Trial) -> Iterator[str]:
    """Release each version until its fault has shown; a step without an end holds the release."""
    for tag in (ONE_PATH, SLOW, FIRST, OVERLOAD):
        app.deploy(tag)
        app.wait(paused_at(1), within=60)
        app.holds(paused_at(1), for_=4)
        yield tag
    app.deploy(LEAK)
    app.wait(seen(LEAK, restarts=1), within=90)
    yield LEAK
    for tag, restarts in ((CRASH, 1), (NEVER_READY, 0)):
        app.deploy(tag)
        app.wait(seen(tag, restarts=restarts), within=60)
        yield tag


def test_each_fault_is_in_the_answers_that_clients_get(
    app_under_test: StartAppTrial, numbers: Report
) -> None:
    with app_under_test("e2e/apps/catalog", variant=held_by_a_step) as app:
        with app.traffic(RATE, call=(Call("/items"), Call("/items/7"), Call("/items-old"))):
            released = list(deployed_one_after_the_other(app))
        records = app.records()
    sent = requests(records, ACTIVE)
    good = [each for each in sent if each.version == "1.0"]
    assert not [each for each in good if each.failed], "the good version failed requests"
    answers = {tag: [each for each in sent if each.version == tag] for tag in released}
    _require_one_path(answers[ONE_PATH])
    _require_slow(answers[SLOW], good)
    _require_first_of_each_pod(answers[FIRST])
    _require_overload(answers[OVERLOAD])
    assert answers[LEAK], "no client had an answer of the version that leaks, so this proved nothing"
    assert not any(each.failed for each in answers[LEAK]), "a version that leaks answers well while it lives"
    lost = {each.flags for each in sent if each.version is None and each.failed}
    assert lost & {"UC", "UF"}, f"no request was lost when a pod reached its limit: {lost}"
    assert not answers[CRASH], "a version that crashes at boot answered"
    assert not answers[NEVER_READY], "a version that is never ready answered"
    numbers(
        **{_name(tag): f"{sum(e.failed for e in a):,} of {len(a):,} failed" for tag, a in answers.items()}
    )


def _require_one_path(answers: list[Request]) -> None:
    failed = {each.path for each in answers if each.failed}
    well = {each.path for each in answers if not each.failed}
    assert (failed, well) == ({"/items", "/items/7"}, {"/items-old"}), "not one path and those below it"


def _require_slow(answers: list[Request], good: list[Request]) -> None:
    assert len(answers) > RATE, f"only {len(answers)} answers"
    assert min(each.service_ms for each in answers) >= SLOWER_MS
    usual = sorted(each.service_ms for each in good)[len(good) // 2]
    assert usual < SLOWER_MS, f"the good version takes {usual:.0f} ms itself"


def _require_first_of_each_pod(answers: list[Request]) -> None:
    pods = {each.pod for each in answers}
    failed = [each for each in answers if each.failed]
    assert sorted(str(each.pod) for each in failed) == sorted(map(str, pods)), "not one answer of each pod"
    assert len(answers) > RATE, f"only {len(answers)} answers"


def _require_overload(answers: list[Request]) -> None:
    # Half of all requests reach its one pod. Those that it refuses count too, so it does not recover.
    failed = sum(each.failed for each in answers)
    assert PER_SECOND <= len(answers) - failed < len(answers) / 2, f"{failed} of {len(answers)} failed"
    assert not any(each.failed for each in answers[: PER_SECOND // 2]), "it failed before it was overloaded"


def _name(tag: str) -> str:
    return tag.removeprefix("1.2-").replace("-", "_").replace(".", "_")
