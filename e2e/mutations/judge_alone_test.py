"""What the judge alone says of a test's trials is written whether the test fails or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.mutations import judge_alone
from e2e.mutations.judge_alone import JudgeAlone, judged_alone

pytest_plugins = ("pytester",)

_QUICK = ("-p", "no:locust", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "--strict-markers")
_PLANTED = ("-p", "e2e.mutations.plugin", "--fault=none")
_CONFTEST = """
from types import SimpleNamespace

import pytest

from fixtures.core.clock import ClockError
from fixtures.judge.bounds import lasting
from fixtures.judge.invariants.cases_for_test import CASES

def unreadable():
    raise ClockError("two clocks\\nmore of it")

@pytest.fixture
def recorded(judging):
    return lambda name, kind: judging.at(SimpleNamespace(records=lambda: getattr(CASES[name], kind)))

@pytest.fixture
def broken(judging):
    judging.at(SimpleNamespace(records=unreadable))
"""


def test_only_what_is_sure_and_unknown_is_an_alarm() -> None:
    assert not judged_alone([]).is_alarm
    assert JudgeAlone(violated=["limits: one"]).is_alarm
    assert JudgeAlone(bound="the abort took 30 s").is_alarm
    assert not JudgeAlone(doubts=["a: b"], known=["c: d"], unknown=["e"], unreadable=["f"]).is_alarm


def test_a_test_that_fails_by_itself_is_judged_as_far_as_it_was_recorded(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    alone = _run(pytester, tmp_path, "recorded", 'recorded("limits", "violates"); assert 1 == 2')
    assert alone.recordings == 1
    assert [each.partition(":")[0] for each in alone.violated] == ["limits"]
    assert "shares" in alone.unknown
    assert "limits" not in alone.unknown


def test_a_sound_trial_of_a_test_that_fails_is_no_alarm(pytester: pytest.Pytester, tmp_path: Path) -> None:
    alone = _run(pytester, tmp_path, "recorded", 'recorded("limits", "keeps"); assert 1 == 2')
    assert (alone.recordings, alone.is_alarm) == (1, False)


def test_what_may_be_a_false_alarm_is_told_apart(pytester: pytest.Pytester, tmp_path: Path) -> None:
    alone = _run(pytester, tmp_path, "recorded", 'recorded("proxy-errors", "violates")')
    assert [each.partition(":")[0] for each in alone.doubts] == ["proxy-errors"]
    assert not alone.is_alarm


def test_a_bound_that_is_exceeded_is_an_alarm_and_no_other_assertion(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    body = 'from fixtures.judge.bounds import lasting; lasting("a pause", 2).judged("the pause", 3)'
    alone = _run(pytester, tmp_path, "recorded", body)
    assert alone.bound == "the pause took 3.00 s; at most 2 s follow from a pause 2 s"
    assert alone.is_alarm


def test_a_recording_that_cannot_be_judged_is_told(pytester: pytest.Pytester, tmp_path: Path) -> None:
    alone = _run(pytester, tmp_path, "broken", "pass")
    assert (alone.recordings, alone.unreadable) == (0, ["ClockError: two clocks"])


def test_nothing_is_known_of_a_run_that_wrote_nothing(tmp_path: Path) -> None:
    assert judge_alone.read(tmp_path) is None


def _run(pytester: pytest.Pytester, folder: Path, fixture: str, body: str) -> JudgeAlone:
    pytester.makeconftest(_CONFTEST)
    pytester.makepyfile(f"def test_it({fixture}):\n    {body}\n")
    out = f"--firedamp-output={folder / 'out'}"
    pytester.runpytest_inprocess(*_QUICK, *_PLANTED, out, f"--judge-alone={folder}")
    alone = judge_alone.read(folder)
    assert alone is not None
    return alone
