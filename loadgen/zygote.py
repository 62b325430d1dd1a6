"""A zygote: Locust imported once and forked for each run, which spares the run four fifths of its start.

https://chromium.googlesource.com/chromium/src/+/HEAD/docs/linux/zygote.md has the word. Started and
spoken to by `loadgen.forking`: a run per message. It answers with the run's process id, and with its
exit code when it has ended. Locust forks its own workers as this does, after its imports:
https://github.com/locustio/locust/blob/2.47.0/locust/main.py
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import Any

import gevent
import locust.main
from gevent import monkey

import loadgen.client  # noqa: F401 - with all that the locustfile imports
from fixtures.core.process import die_with_parent

_LONGEST_MESSAGE = 1 << 20
# Those of gevent, which stand in the module `os` by now, are for greenlets, and there are none here.
_fork, _waitpid = monkey.get_original("os", ["fork", "waitpid"])
_locust: Any = locust.main.main  # Not annotated.


def main() -> None:
    """Fork a Locust per message, until the other end is closed."""
    channel = int(sys.argv[1])
    # Ctrl-C is told to all of a terminal's processes; the harness ends its load in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Else the first collection in each child would copy all that it shares with this process.
    gc.freeze()
    must_die = die_with_parent()
    while message := os.read(channel, _LONGEST_MESSAGE):
        pid = _fork()
        if pid == 0:
            must_die()
            os.close(channel)
            _renew_event_loop()
            _become_locust(**json.loads(message))
            return
        os.write(channel, b"%d" % pid)
        os.write(channel, b"%d" % _exit_code(pid))
        # Not before the exit code was read, so that no signal for this process meets one with the same id.
        os.read(channel, 1)
        _waitpid(pid, 0)


def _exit_code(pid: int) -> int:
    """Wait for the end of a process, and leave it to be reaped."""
    ended: Any = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return int(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)


def _renew_event_loop() -> None:
    """Part from the zygote's, which was made by the imports, and with its idea of what time it is."""
    gevent.reinit()
    # Else all that is due in a while is due at once: https://www.gevent.org/loop_impls.html
    gevent.get_hub().loop.update_now()


def _become_locust(arguments: list[str], folder: str, log: str, env: dict[str, str]) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for output in (sys.stdout, sys.stderr):
        os.dup2(descriptor, output.fileno())
    os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["locust", *arguments]
    _locust()


if __name__ == "__main__":
    main()
