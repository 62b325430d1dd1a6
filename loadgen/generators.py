"""What runs a load: one Locust process, or a master with workers, all of them on this machine."""

from __future__ import annotations

import secrets
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from loadgen.distribution import Role, boot_id, port_file
from loadgen.forking import LocustProcess, fork_locust
from loadgen.plan import MOST_USERS, LoadPlan

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
MOST_WORKERS = 100
LOOPBACK = "127.0.0.1"
_MASTER_S = 60.0
_WORKER_END_S = 5.0


@dataclass(frozen=True)
class Job:
    """A load that is to be run.

    Attributes:
        plan: What is asked for.
        folder: Where requests and statuses are written.
        log: Where the load generator's output goes.
        longest: Seconds after which it must have ended.
        drain: Seconds after which the last request has been answered or has timed out.
    """

    plan: LoadPlan
    folder: Path
    log: Path
    longest: int
    drain: int

    def arguments(self, locustfile: str = str(LOCUSTFILE)) -> list[str]:
        """The arguments of the Locust that is asked for users: of the only process, or of the master."""
        # With all options set, so that no locust.conf or LOCUST_HOST applies.
        users = str(sum(stream.users for stream in self.plan.streams))
        return [
            *("--locustfile", locustfile, "--headless", "--host", self.plan.url),
            *("--users", users, "--spawn-rate", users, "--run-time", f"{self.longest}s"),
            *("--stop-timeout", str(self.drain), "--exit-code-on-error", "0", "--only-summary"),
        ]


class Generator(Protocol):
    """A load generator. It writes its requests and statuses into the job's folder while it runs."""

    @property
    def most_users(self) -> int:
        """The largest number of clients of a stream that does not set its number of users."""

    @property
    def workers(self) -> int:
        """How many workers it has; 0 if it is one process that has none."""

    @property
    def pid(self) -> int | None:
        """The id of its process on this machine; None if there is none."""

    def begin(self, job: Job) -> None:
        """Start it, without waiting for its first request.

        Raises:
            FiredampError: It cannot be started.
        """

    def poll(self) -> int | None:
        """Return its exit code if it has ended; None while it runs."""

    def wait(self, timeout: float) -> int:
        """Wait until it has ended, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: It has not ended within `timeout` seconds.
        """

    def terminate(self) -> None:
        """Ask it to end: it sends nothing more, waits for answers, and writes all records."""

    def kill(self) -> None:
        """End it at once."""

    def doubts(self) -> str:
        """Return why nothing can be concluded from the load; "" if nothing is known against it."""

    def output(self) -> str:
        """Return the last lines of what it has printed, for errors."""


class OneProcess:
    """A load generator of one Locust process."""

    workers = 0

    def __init__(self, *, most_users: int = MOST_USERS) -> None:
        """Prepare one; nothing is started yet. See `Generator` for `most_users`."""
        self.most_users = most_users
        self._process: LocustProcess | None = None
        self._log: Path | None = None

    @property
    def pid(self) -> int | None:
        """See `Generator`."""
        return self._process.pid if self._process else None

    def begin(self, job: Job) -> None:
        """See `Generator`."""
        self.start(job.arguments(), job, Role(job.plan, job.folder))

    def start(self, arguments: list[str], job: Job, role: Role) -> None:
        """Start Locust with these arguments, in a role."""
        self._log = job.log
        self._process = fork_locust(arguments, folder=job.folder, log=job.log, env=role.environment())

    def poll(self) -> int | None:
        """See `Generator`."""
        return self._process.poll() if self._process else 0

    def wait(self, timeout: float | None = None) -> int:
        """See `Generator`."""
        return self._process.wait(timeout) if self._process else 0

    def terminate(self) -> None:
        """See `Generator`."""
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """See `Generator`."""
        if self._process:
            self._process.kill()

    def doubts(self) -> str:
        """Nothing is known here that statuses and requests do not say."""
        return ""

    def output(self) -> str:
        """See `Generator`."""
        return last_lines(self._log) if self._log else ""


class Processes:
    """A load generator of a master and workers, which are processes of this machine.

    The master listens on loopback, on a port that the kernel chooses.

    Attributes:
        workers: How many workers it has.
        processes: The workers that were started, by name.
    """

    def __init__(self, workers: int, *, most_users: int = MOST_USERS) -> None:
        """Prepare one; nothing is started yet. See `Generator` for `most_users`.

        Raises:
            FiredampError: It is not a number of workers.
        """
        if not 1 <= workers <= MOST_WORKERS:
            hint = "one for each processor that the load may have is a good number"
            raise FiredampError(f"a load has 1 to {MOST_WORKERS} workers, not {workers}", hint=hint)
        self.workers, self.most_users = workers, most_users
        self._master = OneProcess()
        self.processes: dict[str, LocustProcess] = {}
        self._job: Job | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the master."""
        return self._master.pid

    def begin(self, job: Job) -> None:
        """See `Generator`."""
        token = secrets.token_hex(16)
        self._job = job
        role = Role(job.plan, job.folder, token, self.workers, boot=boot_id())
        listening = start_master(self._master, job, role)
        for index in range(self.workers):
            name = f"worker-{index}"
            self.processes[name] = fork_locust(
                [
                    *("--locustfile", str(LOCUSTFILE), "--worker"),
                    *("--master-host", LOOPBACK, "--master-port", str(listening)),
                ],
                folder=job.folder,
                log=job.log.with_suffix(f".{name}.log"),
                env=self._role_of(name, replace(role, workers=0)).environment(),
            )

    def poll(self) -> int | None:
        """See `Generator`."""
        return self._master.poll()

    def wait(self, timeout: float) -> int:
        """See `Generator`."""
        code = self._master.wait(timeout)
        deadline = time.monotonic() + _WORKER_END_S
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.0))
            # A worker whose master has ended has nothing left to do.
            process.kill()
            process.wait()
        return code

    def terminate(self) -> None:
        """See `Generator`."""
        self._master.terminate()

    def kill(self) -> None:
        """See `Generator`."""
        self._master.kill()
        for process in self.processes.values():
            process.kill()

    def doubts(self) -> str:
        """Nothing is known here that statuses and requests do not say."""
        return ""

    def output(self) -> str:
        """See `Generator`."""
        logs = [self._job.log.with_suffix(f".{name}.log") for name in self.processes] if self._job else []
        return "\n".join(filter(None, [self._master.output(), *map(last_lines, logs)]))

    def _role_of(self, name: str, role: Role) -> Role:
        return replace(role, name=name)


def start_master(master: OneProcess, job: Job, role: Role) -> int:
    """Start a master that waits for its workers, and return the port of loopback at which it listens.

    Args:
        master: What is started.
        job: The load.
        role: The role of the master.

    Raises:
        FiredampError: It ended at once.
        ConditionNotMetError: It does not listen.
    """
    port = port_file(job.plan, job.folder)
    arguments = [
        *job.arguments(),
        *("--master", "--master-bind-host", LOOPBACK, "--master-bind-port", "0"),
        *("--expect-workers", str(role.workers), "--expect-workers-max-wait", f"{_MASTER_S:g}"),
    ]
    master.start(arguments, job, role)
    try:
        return until(lambda: _listening(master, port), what="the port of Locust's master", timeout=_MASTER_S)
    finally:
        port.unlink(missing_ok=True)


def _listening(master: OneProcess, path: Path) -> int:
    if master.poll() is not None:
        raise FiredampError(f"Locust's master ended at once\n{master.output()}")
    text = path.read_text() if path.exists() else ""
    if not text.endswith("\n"):
        raise PendingError("it does not listen yet")
    return int(text)


def last_lines(log: Path) -> str:
    """Return the last lines of a log, indented; "" if there is none."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-15:])
