from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

from fixtures.core.errors import FiredampError
from kind_host import folders


@pytest.fixture(autouse=True)
def removed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The cgroups that were removed."""
    names: list[str] = []
    # Not pytest's folder, whose path is too long for a socket in a parallel run.
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setenv("XDG_CACHE_HOME", short)
        monkeypatch.setattr("fixtures.providers.native.cgroups.remove", lambda name, **_: names.append(name))
        yield names


def test_what_a_killed_keeper_left_is_removed_and_what_is_claimed_stays(removed: list[str]) -> None:
    first, second, third = (folders.choose() for _ in range(3))
    one, two = folders.claim(first), folders.claim(second)
    (first / "data").mkdir()
    os.close(one)
    three = folders.claim(third)
    assert sorted(path.name for path in first.parent.iterdir()) == sorted([second.name, third.name])
    assert removed == [folders.cgroup(first)]
    assert third.stat().st_mode & 0o777 == 0o700
    os.close(two)
    os.close(three)


def test_what_else_lies_there_breaks_nothing_and_stays(removed: list[str]) -> None:
    folder = folders.choose()
    folder.parent.mkdir(parents=True, mode=0o700)
    (folder.parent / "notes").touch()
    (folder.parent / "mine").mkdir()
    (folder.parent / "abcdef").symlink_to("/nowhere")
    (folder.parent / "0a1b2c").symlink_to(folder.parent / "mine")
    os.close(folders.claim(folder))
    names = {path.name for path in folder.parent.iterdir()}
    assert names == {folder.name, "notes", "mine", "abcdef", "0a1b2c"}
    assert removed == []


def test_a_path_too_long_for_a_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/" + "x" * 90)
    with pytest.raises(FiredampError, match="too long for a socket"):
        folders.choose()
