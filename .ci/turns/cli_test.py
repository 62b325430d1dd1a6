from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.components import FURTHER_VERSIONS
from fixtures.addons.components import all_recipes
from fixtures.core.errors import FiredampError
from turns import cli, missing
from turns.turn import Commit


@pytest.fixture(autouse=True)
def _no_real_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "cache_root", lambda: tmp_path)
    monkeypatch.setattr(cli, "_commit", lambda: Commit("a", 7))


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    assert cli.main() == 0
    return capsys.readouterr()


def test_where_little_is_missing_there_is_a_share(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "seconds_to_make", lambda: 300.0)
    assert said(capsys) == ("2/6\n", "")


def test_on_a_new_machine_there_is_none_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "seconds_to_make", lambda: 1500.0)
    out, why = said(capsys)
    assert out == ""
    assert re.search(r"not cached: making them would take about 25 min", why)


def test_whatever_is_wrong_leaves_the_tests_of_make_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_git() -> Commit:
        raise FiredampError("git does not say which commit this is", hint="run it in a clone")

    monkeypatch.setattr(cli, "seconds_to_make", lambda: 0.0)
    monkeypatch.setattr(cli, "_commit", no_git)
    out, why = said(capsys)
    assert out == ""
    assert "no share of the other scenarios: git does not say" in why


def test_in_an_empty_cache_all_is_missing_and_other_versions_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual = sum(each.seconds for each in all_recipes().by_name.values())
    # Each version that tests need is counted as if nothing else were there, and no other one is.
    assert usual < missing.seconds_to_make() < (len(FURTHER_VERSIONS) + 1.5) * usual
