from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.cluster.kill import PHASES
from e2e.cluster.life import BARE, ENDED, Moment, Moments, Phase, Victim

_PROGRAM = """\
import subprocess, sys
child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
print("start-up", flush=True)
print(f"run", flush=True)
open(sys.argv[1], "w").write(f"{child.pid}\\n")
sys.stdin.read()
print("teardown", flush=True)
print("end", flush=True)
"""


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    with (tmp_path / "log").open("wb") as log:
        victim = Victim([sys.executable, "-c", _PROGRAM, str(tmp_path / "child")], "one", tmp_path, log)
        yield victim
        victim.kill(with_group=True)


@pytest.mark.parametrize("phases", [BARE, *PHASES.values()])
@pytest.mark.parametrize("seed", [0, 1, 4711])
def test_kills_are_spread_over_the_whole_life_as_the_shares_say(phases: tuple[Phase, ...], seed: int) -> None:
    assert sum(phase.share for phase in phases) == pytest.approx(1)
    drawn = [Moments(phases, seed).draw(number, 0) for number in range(200)]
    counts = Counter(moment.phase for moment in drawn)
    for phase in phases:
        assert abs(counts[phase.name] - 200 * phase.share) <= 2
        parts = [moment.after / phase.seconds for moment in drawn if moment.phase == phase.name]
        assert min(parts) < 0.1
        assert max(parts) > 0.9
        assert max(parts) < 1.001


def test_a_seed_repeats_its_moments_and_an_attempt_does_not() -> None:
    one, same, other = Moments(BARE, 7), Moments(BARE, 7), Moments(BARE, 8)
    assert one.draw(3, 0) == same.draw(3, 0) != one.draw(3, 1)
    assert one.draw(3, 0) != other.draw(3, 0)


def test_a_phase_is_as_long_as_it_was_seen_to_be() -> None:
    moments = Moments((Phase("boot", 1.0, 100.0),), 1)
    moments.learn({"boot": 2.0})
    assert max(moments.draw(number, 0).after for number in range(100)) == pytest.approx(2.3, abs=0.1)


def test_a_victim_is_let_come_to_its_moment(victim: Victim) -> None:
    reached = victim.advance(Moment("run", 0.2), last="teardown")
    assert (reached.phase, reached.after >= 0.2) == ("run", True)
    assert set(victim.seconds) == {"start-up"}


def test_a_victim_that_is_to_be_killed_later_than_it_lives_says_that_it_ended(victim: Victim) -> None:
    assert victim.advance(Moment("teardown", 30.0), last="teardown").phase == ENDED


@pytest.mark.parametrize("with_group", [True, False])
def test_its_group_is_killed_with_it_only_if_asked(
    victim: Victim, tmp_path: Path, *, with_group: bool
) -> None:
    victim.advance(Moment("run", 0.2), last="teardown")
    child = int((tmp_path / "child").read_text())
    victim.kill(with_group=with_group)
    time.sleep(0.1)  # for the kernel to end the other
    state = (Path(f"/proc/{child}/stat").read_text() if Path(f"/proc/{child}").exists() else ") Z").split(
        ") "
    )[1]
    assert (state[0] == "Z") == with_group
    if not with_group:
        os.kill(child, signal.SIGKILL)


def test_a_victim_that_crashes_is_no_kill(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        victim = Victim([sys.executable, "-c", "print('start-up'); 1/0"], "one", tmp_path, log)
        with pytest.raises(AssertionError, match="ended by itself"):
            victim.advance(Moment("run", 0.0), last="teardown")
        victim.kill(with_group=True)
