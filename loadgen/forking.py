"""Starts Locust processes, each forked from a process that has imported Locust; see `loadgen.zygote`."""

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
    """A Locust process that is running or has ended, with the methods of `subprocess.Popen`."""

    def __init__(self, zygote: _Zygote, pid: int) -> None:
        """Represent the process `pid` that the zygote has forked."""
        self.pid = pid
        self.returncode: int | None = None
        self._zygote = zygote

    def poll(self) -> int | None:
        """Return the exit code, or -N if signal N ended the process; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process ends and return its exit code, or -N if signal N ended it.

        Raises:
            subprocess.TimeoutExpired: It did not end within `timeout` seconds.
        """
        if self.returncode is None:
            self.returncode = self._zygote.exit_code(timeout)
        return self.returncode

    def send_signal(self, which: signal.Signals) -> None:
        """Send a signal to the process, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, which)

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self.send_signal(signal.SIGKILL)


def fork_locust(
    arguments: Sequence[str], *, folder: Path, log: Path, env: Mapping[str, str]
) -> LocustProcess:
    """Start Locust in `folder`, with standard output and standard error appended to `log` (mode 0600).

    The kernel kills it when the thread that started it ends; see `spawn`.

    Args:
        arguments: The command-line arguments of Locust.
        folder: The working directory of Locust.
        log: Where Locust's output goes, and that of a zygote, which is started if there is no idle one.
        env: Environment variables that are added to those of this process.
    """
    message = {
        "arguments": list(arguments),
        "folder": str(folder),
        "log": str(log),
        "env": {**os.environ, **env},
    }
    return _idle_zygote(log).fork(json.dumps(message).encode())


def prepare(log: Path) -> None:
    """Start importing Locust, so that the next `fork_locust` of this thread need not wait for it.

    Args:
        log: Where the output of the process goes that imports it.
    """
    idle = _idle_of_this_thread()
    if not idle:
        idle.append(_Zygote(log))


class _Zygote:
    """A zygote process, which has at most one Locust process at a time."""

    def __init__(self, log: Path) -> None:
        # A socket of this type keeps messages apart: each one is read as a whole.
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn(
                [sys.executable, "-m", "loadgen.zygote", str(theirs.fileno())],
                log=log,
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
            )
        self._idle_zygotes = _idle_of_this_thread()

    def __del__(self) -> None:
        """End the zygote when it is no longer referenced, at the latest with the thread that started it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    @property
    def is_alive(self) -> bool:
        """Whether the zygote still runs."""
        return self._process.poll() is None

    def fork(self, message: bytes) -> LocustProcess:
        """Fork a Locust process and return it; if that fails, the returned process has already ended."""
        answer = b""
        self._channel.settimeout(_IMPORT_SECONDS)
        # These errors mean that the zygote has ended or does not answer. A message that is too long leads to
        # another error, which is raised.
        with suppress(ConnectionError, TimeoutError):
            self._channel.send(message)
            answer = self._channel.recv(_LONGEST_ANSWER)
        if not answer:
            self._process.kill()
        return LocustProcess(self, int(answer or self._process.pid))

    def exit_code(self, timeout: float | None) -> int:
        """Wait until Locust has ended and return its exit code; the zygote is then idle again.

        Raises:
            subprocess.TimeoutExpired: Locust has not ended within `timeout` seconds.
        """
        self._channel.settimeout(timeout)
        try:
            code = self._channel.recv(_LONGEST_ANSWER)
        except (TimeoutError, BlockingIOError) as error:
            raise subprocess.TimeoutExpired("locust", timeout or 0.0) from error
        except ConnectionError:  # The zygote was killed before it had read its message.
            return -signal.SIGKILL
        if not code:  # The zygote has ended, and the kernel has killed its Locust process.
            return -signal.SIGKILL
        self._channel.send(b"read")
        self._idle_zygotes.append(self)
        return int(code)


def _idle_zygote(log: Path) -> _Zygote:
    idle = _idle_of_this_thread()
    while idle:
        zygote = idle.pop()
        if zygote.is_alive:
            return zygote
    return _Zygote(log)


def _idle_of_this_thread() -> list[_Zygote]:
    # A zygote ends with the thread that started it. If threads shared zygotes, the end of one thread could
    # end the load of another.
    if not hasattr(_of_this_thread, "idle"):
        _of_this_thread.idle = []
    idle: list[_Zygote] = _of_this_thread.idle
    return idle
