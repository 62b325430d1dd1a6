"""Locust processes, each forked from a zygote; see `loadgen.zygote`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from fixtures.core.process import spawn

_ROOT = Path(__file__).parent.parent
_IMPORT_SECONDS = 60.0
_LONGEST_ANSWER = 32
_of_this_thread = threading.local()


class LocustProcess:
    """A Locust that runs or ran, with the methods of `subprocess.Popen`."""

    def __init__(self, zygote: _Zygote, pid: int) -> None:
        """Take charge of a process that the zygote forked."""
        self.pid = pid
        self.returncode: int | None = None
        self._zygote = zygote

    def poll(self) -> int | None:
        """The exit code, or -N for signal N; nothing while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, or -N for signal N, of a process that ends within `timeout` seconds.

        Raises:
            subprocess.TimeoutExpired: It did not.
        """
        if self.returncode is None:
            self.returncode = self._zygote.exit_code(timeout)
        return self.returncode

    def send_signal(self, which: signal.Signals) -> None:
        """Send a signal to it, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, which)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def fork_locust(
    arguments: Sequence[str], *, folder: Path, log: Path, env: Mapping[str, str]
) -> LocustProcess:
    """Start Locust in `folder`, with both outputs appended to `log` (mode 0600).

    The kernel kills it when the thread that started it ends, as `spawn` has it.

    Args:
        arguments: Those of Locust.
        folder: Its working directory.
        log: Where its output goes; that of a zygote, too, which is started when none is idle.
        env: Variables added to this process's own.
    """
    message = {
        "arguments": list(arguments),
        "folder": str(folder),
        "log": str(log),
        "env": {**os.environ, **env},
    }
    return _idle_zygote(log).fork(json.dumps(message).encode())


class _Zygote:
    """A zygote, which serves one run at a time."""

    def __init__(self, log: Path) -> None:
        # Of this kind, so that each message is read as one.
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn(
                [sys.executable, "-m", "loadgen.zygote", str(theirs.fileno())],
                log=log,
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
            )
        self._home = _idle_of_this_thread()

    def __del__(self) -> None:
        """End it with the thread that had it, or when it is of no use any more."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    @property
    def is_alive(self) -> bool:
        """Whether it can serve."""
        return self._process.poll() is None

    def fork(self, message: bytes) -> LocustProcess:
        """Start a run; where it cannot be started, it has ended."""
        said = b""
        self._channel.settimeout(_IMPORT_SECONDS)
        # It ended, or does not come to answer; a message that is too long is said.
        with suppress(ConnectionError, TimeoutError):
            self._channel.send(message)
            said = self._channel.recv(_LONGEST_ANSWER)
        if not said:
            self._process.kill()
        return LocustProcess(self, int(said or self._process.pid))

    def exit_code(self, timeout: float | None) -> int:
        """Wait until the run has ended, and be idle again.

        Raises:
            subprocess.TimeoutExpired: It has not.
        """
        self._channel.settimeout(timeout)
        try:
            code = self._channel.recv(_LONGEST_ANSWER)
        except (TimeoutError, BlockingIOError) as error:
            raise subprocess.TimeoutExpired("locust", timeout or 0.0) from error
        if not code:  # The zygote is gone, and its run with it.
            return -signal.SIGKILL
        self._channel.send(b"read")
        self._home.append(self)
        return int(code)


def _idle_zygote(log: Path) -> _Zygote:
    idle = _idle_of_this_thread()
    while idle:
        zygote = idle.pop()
        if zygote.is_alive:
            return zygote
    return _Zygote(log)


def _idle_of_this_thread() -> list[_Zygote]:
    # A zygote ends with the thread that started it, and may not take another thread's run with it.
    if not hasattr(_of_this_thread, "idle"):
        _of_this_thread.idle = []
    idle: list[_Zygote] = _of_this_thread.idle
    return idle
