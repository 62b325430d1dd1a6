from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Protocol

import pytest

from fixtures.core.process import run
from loadgen import forking
from loadgen.forking import LocustProcess, fork_locust, prepare

LOCUSTFILE = """
import gevent, os, threading, time
behind = time.time() - gevent.get_hub().loop.now()
words = os.getppid(), os.getcwd(), os.environ["WORD"], threading.active_count(), behind
# One write for the whole line: with PYTHONUNBUFFERED, print() would make several, and two processes that
# append to the same log would mix their words.
os.write(1, " ".join([*map(str, words), "\\n"]).encode())
time.sleep(float(os.environ["SECONDS"]))
os._exit(7)
"""


class Fork(Protocol):
    def __call__(self, word: str = "x", *, seconds: float = 0) -> LocustProcess: ...


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    """Forks a Locust that says who forked it, lasts so many seconds and exits with 7."""
    file = tmp_path / "file.py"
    file.write_text(LOCUSTFILE)

    def start(word: str = "x", *, seconds: float = 0) -> LocustProcess:
        return fork_locust(
            ["--headless", "--locustfile", str(file)],
            folder=tmp_path,
            log=tmp_path / "log",
            env={"WORD": word, "SECONDS": str(seconds)},
        )

    return start


def said(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "log").read_text().splitlines() if line[0].isdigit()]


def zygote_of(locust: LocustProcess) -> int:
    return int(run(["ps", "-o", "ppid=", "-p", str(locust.pid)], timeout=10))


def _children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def test_a_run_has_a_folder_a_log_and_variables_of_its_own(fork: Fork, tmp_path: Path) -> None:
    assert [fork(word).wait(30) for word in ("one", "two")] == [7, 7]
    assert [line[1:4] for line in said(tmp_path)] == [[str(tmp_path), word, "1"] for word in ("one", "two")]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_zygote_serves_one_run_after_the_other_and_one_thread_only(fork: Fork, tmp_path: Path) -> None:
    side_by_side = [fork(seconds=0.1), fork(seconds=0.1)]
    assert [locust.wait(30) for locust in side_by_side] == [7, 7]
    fork().wait(30)
    elsewhere = threading.Thread(target=lambda: fork().wait(30))
    elsewhere.start()
    elsewhere.join()
    first, second, third, fourth = (line[0] for line in said(tmp_path))
    assert first != second
    assert third in {first, second}
    assert fourth not in {first, second}


def test_a_run_takes_the_zygote_that_was_prepared(fork: Fork, tmp_path: Path) -> None:
    prepared: list[int] = []

    def prepare_and_fork() -> None:
        for _ in range(2):
            prepare(tmp_path / "log")
        prepared.extend(_children_of(os.getpid()) - before)
        fork().wait(30)

    before = _children_of(os.getpid())
    # In a thread of its own, which has no zygote yet.
    thread = threading.Thread(target=prepare_and_fork)
    thread.start()
    thread.join()
    assert [int(line[0]) for line in said(tmp_path)] == prepared


def test_a_run_does_not_take_the_time_for_that_at_which_its_zygote_began(fork: Fork, tmp_path: Path) -> None:
    assert [fork(seconds=1).wait(30), fork().wait(30)] == [7, 7]
    assert float(said(tmp_path)[1][4]) < 0.9


def test_a_run_that_ended_is_sent_no_signal(fork: Fork, monkeypatch: pytest.MonkeyPatch) -> None:
    locust = fork()
    locust.wait(30)
    monkeypatch.setattr(os, "kill", pytest.fail)
    locust.terminate()
    locust.kill()
    assert (locust.poll(), locust.returncode) == (7, 7)


def test_a_run_can_be_waited_for_and_ended(fork: Fork) -> None:
    locust = fork(seconds=30)
    assert locust.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        locust.wait(0.01)
    locust.kill()
    assert locust.wait(30) == -signal.SIGKILL


def test_ctrl_c_ends_no_run(fork: Fork) -> None:
    locust = fork(seconds=30)
    os.kill(zygote_of(locust), signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        locust.wait(0.5)
    locust.kill()
    assert locust.wait(30) == -signal.SIGKILL


def test_without_its_zygote_a_run_ends_and_the_next_has_another(fork: Fork) -> None:
    locust = fork(seconds=30)
    os.kill(zygote_of(locust), signal.SIGKILL)
    assert locust.wait(30) == -signal.SIGKILL
    assert fork().wait(30) == 7


def test_a_locust_that_cannot_be_imported_says_so_in_the_log(
    fork: Fork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locust.py").write_text("raise ImportError('half an installation')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(forking, "_of_this_thread", threading.local())
    assert fork().wait(30) == -signal.SIGKILL
    assert "half an installation" in (tmp_path / "log").read_text()


def test_a_zygote_that_does_not_answer_in_time_is_a_locust_that_has_ended(
    fork: Fork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "_IMPORT_SECONDS", 0.01)
    monkeypatch.setattr(forking, "_of_this_thread", threading.local())
    assert fork().wait(30) == -signal.SIGKILL
