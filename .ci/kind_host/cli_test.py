from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.core.errors import FiredampError
from kind_host import cli


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """What the command line does to signals is undone."""
    before = {number: signal.getsignal(number) for number in cli._FORWARDED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened to the Docker that is started where none answers."""
    seen: list[str] = []

    @contextmanager
    def own_docker(_phases: object) -> Iterator[Mapping[str, str]]:
        seen.append("start")
        yield {"DOCKER_HOST": "unix:///own"}
        seen.append("end")

    monkeypatch.setattr(cli, "own_docker", own_docker)
    monkeypatch.setattr(cli, "docker_answers", lambda: False)
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    return seen


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", [".ci/docker", *arguments])
    return cli.main()


def test_where_docker_answers_none_is_started(own: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "docker_answers", lambda: True)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert run(monkeypatch, "--", "sh", "-c", 'exit "${DOCKER_HOST:-5}"') == 5
    assert own == []


def test_the_command_gets_the_docker_and_nothing_else_is_changed(
    own: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = f'echo "$DOCKER_HOST $PYTHONPATH" > {tmp_path}/seen; exit 7'
    assert run(monkeypatch, "--", "sh", "-c", script) == 7
    assert (tmp_path / "seen").read_text() == "unix:///own /theirs\n"
    assert own == ["start", "end"]


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("command", "code"), [(["sh", "-c", "kill -KILL $$"], 137), (["/nowhere/at/all"], 127), (["true"], 0)]
)
def test_exit_codes_are_a_shells(monkeypatch: pytest.MonkeyPatch, command: list[str], code: int) -> None:
    assert run(monkeypatch, "--", *command) == code


@pytest.mark.usefixtures("own")
def test_a_signal_ends_the_command_first(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not at once: this process must have come to wait for it.
    script = "trap 'exit 9' TERM; sleep 0.5; kill -TERM $PPID; sleep 5 & wait"
    assert run(monkeypatch, "--", "sh", "-c", script) == 9


@pytest.mark.parametrize(("options", "code"), [([], 2), (["--optional"], 0)])
def test_where_none_can_be_had_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], code: int
) -> None:
    @contextmanager
    def own_docker(_phases: object) -> Iterator[Mapping[str, str]]:
        raise FiredampError("Docker can only be started by root", hint="run as root")
        yield {}

    monkeypatch.setattr(cli, "own_docker", own_docker)
    monkeypatch.setattr(cli, "docker_answers", lambda: False)
    assert run(monkeypatch, *options, "--", "true") == code
    assert "Docker can only be started by root\n  -> run as root" in capsys.readouterr().err
