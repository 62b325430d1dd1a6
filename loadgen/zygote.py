"""A zygote: a process that imports Locust once and forks for each load, which saves four fifths of its start.

The word comes from https://chromium.googlesource.com/chromium/src/+/HEAD/docs/linux/zygote.md.
`loadgen.forking` starts the process and sends it a message for each load. It answers with the process id of
the forked Locust, and with the exit code when that has ended. Locust forks its own workers in the same way,
after its imports: https://github.com/locustio/locust/blob/2.47.0/locust/main.py
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
# gevent has replaced these functions in the module `os` by its own, which only greenlets need.
_fork, _waitpid = monkey.get_original("os", ["fork", "waitpid"])
_locust: Any = locust.main.main  # Not annotated.


def main() -> None:
    """Fork a Locust process for each message, until the other end of the channel is closed."""
    channel = int(sys.argv[1])
    # Ctrl-C sends this signal to all processes of a terminal. It is ignored here, because the harness stops
    # its load in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Without this, the first garbage collection in each child would copy all memory that it shares with this
    # process.
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
        # Reaped only after the exit code was read. Until then the process id cannot be used again, so that no
        # signal can reach another process with the same id.
        os.read(channel, 1)
        _waitpid(pid, 0)


def _exit_code(pid: int) -> int:
    """Wait for the end of a process and return its exit code, without reaping it."""
    ended: Any = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return int(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)


def _renew_event_loop() -> None:
    """Replace gevent's event loop, which the imports made in the zygote and whose time is out of date."""
    gevent.reinit()
    # Without this, timers would end at once: https://www.gevent.org/loop_impls.html
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
