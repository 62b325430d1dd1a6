from __future__ import annotations

import os
import sys

import pytest

from fixtures.core.process import run

_PROGRAM = """
import os
from loadgen.priority import go_first
{before}
go_first()
print(os.getsid(0) == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise a priority")
def test_root_goes_first() -> None:
    assert _said(before="") == "True -10"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_nobody_goes_on_as_they_are() -> None:
    assert _said(before="os.setuid(65534)") == "True 0"


def _said(*, before: str) -> str:
    return run([sys.executable, "-c", _PROGRAM.format(before=before)], timeout=30).strip()
