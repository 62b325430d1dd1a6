"""The load generator's place on a busy machine: one that is late measures itself."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_NICENESS = -10
# Where the kernel groups processes by session, a process' nice value counts within its session only, and this
# file has that of the session: sched(7).
_OF_SESSION = Path("/proc/self/autogroup")


def go_first() -> None:
    """Have the scheduler serve this process before others, as far as it is allowed to."""
    with suppress(PermissionError):
        os.setsid()
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    # There is none without CONFIG_SCHED_AUTOGROUP.
    with suppress(PermissionError, FileNotFoundError):
        _OF_SESSION.write_text(str(_NICENESS))
