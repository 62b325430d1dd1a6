from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fixtures.core.process import spawn

_PROGRAM = """
import os
from pathlib import Path
from loadgen.priority import go_first
{before}
go_first()
session = Path("/proc/self/autogroup")
print(os.getsid(0) == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0))
print(session.read_text().split()[-1] if session.exists() else os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise a priority")
def test_root_goes_first(tmp_path: Path) -> None:
    assert _said(tmp_path / "log", before="") == ["True -10", "-10"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_nobody_goes_on_as_they_are(tmp_path: Path) -> None:
    assert _said(tmp_path / "log", before="os.setuid(65534)") == ["True 0", "0"]


def _said(log: Path, *, before: str) -> list[str]:
    # As the load generator is started: not as the leader of a process group, which setsid(2) refuses.
    spawn([sys.executable, "-c", _PROGRAM.format(before=before)], log=log).wait(30)
    return log.read_text().splitlines()
