"""Runs a load: starts Locust as a subprocess, waits for the first answer, stops it and judges the load."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from fixtures.core.clock import ClockError, Epoch
from fixtures.core.errors import ConditionNotMetError, FiredampError
from fixtures.core.folders import absolute, make_folder
from fixtures.core.retry import PendingError, until
from loadgen.clocks import require_end, require_start
from loadgen.generators import Generator, Job, OneProcess
from loadgen.plan import LoadPlan, Stream, make_plan
from loadgen.queries import counted, errors
from loadgen.records import requests_file
from loadgen.report import (
    InvalidLoadError,
    RunReport,
    judge,
    judge_so_far,
    make_report,
    require_workers,
)
from loadgen.requests import RequestLog, Requests
from loadgen.shapes import Constant
from loadgen.status import Status, files_of, read_statuses, status_file

STARTUP_S = 60.0
ANSWER_S = 30.0
_KILLED_S = 30.0


class Traffic:
    """Load on one address for as long as a `with` block runs.

    Example:
        streams = [Stream("active", "shop.example.com")]
        load = Traffic(url, streams, Constant(rate=200), folder, epoch=timeline.epoch)
        with load as traffic:
            ...
            traffic.require_flowing()
        print(traffic.report)

    Leaving the block stops the load, waits for the answers to requests that were sent, and judges the load.
    If the load was invalid, a failed assertion in the block proves nothing: it is replaced by
    `InvalidLoadError`, whose cause it becomes. The kernel kills the load generator when the thread that
    started it ends.

    Attributes:
        plan: What is asked for.
        log: Reads the requests. A caller who reads them too sets its own log here, so that each is read once.
    """

    def __init__(
        self,
        url: str,
        streams: list[Stream] | tuple[Stream, ...],
        shape: Constant,
        folder: Path,
        *,
        epoch: Epoch,
        timeout: float = 10.0,
        generator: Generator | None = None,
    ) -> None:
        """Plan the load; nothing is sent yet.

        Args:
            url: `http://ADDRESS:PORT` on loopback or a private network; public addresses are refused.
            streams: The streams of load; each runs at the full rate.
            shape: Rate and duration of the streams that have none of their own.
            folder: Where the records, the run's status and Locust's log go; created if it does not exist.
            epoch: The epoch of the run's timeline, so that its records and those of the load have one clock.
            timeout: Seconds that a request may take, from connecting to the end of its answer.
            generator: What sends the requests; by default one process on this machine.

        Raises:
            FiredampError: The target, a stream or the shape is not acceptable.
        """
        self._generator = generator or OneProcess()
        self.plan: LoadPlan = make_plan(
            url,
            tuple(streams),
            shape,
            timeout,
            epoch=epoch,
            most_users=self._generator.most_users,
            least_users=self._generator.workers,
        )
        self._folder = absolute(folder, "the load's folder")
        self._names = [stream.name for stream in self.plan.streams]
        self._status = status_file(self._folder, self._names)
        self._log = self._status.with_suffix(".log")
        self.log = RequestLog()
        self._has_begun = False
        self._report: RunReport | None = None

    def __enter__(self) -> Self:
        """Start the load and return when the first answer has been recorded.

        Raises:
            InvalidLoadError: There was no answer within 30 s, or Locust ended or did not start; with the end
                of its log.
            ClockError: The load generator does not have the harness's clock.
            FiredampError: The folder already holds records of a stream.
        """
        make_folder(self._folder, "the load's folder")
        for path in files_of(self._folder, self._names):
            if path.exists():
                raise FiredampError(
                    f"{path} exists already", hint="give each run a folder or streams of its own"
                )
        spawned = self.plan.epoch.now()
        self._has_begun = True
        try:
            self._generator.begin(self._job())
            first = until(self._begun, what="Locust's start", timeout=STARTUP_S)
            require_start(first, spawned=spawned, seen=self.plan.epoch.now())
            until(self._answered, what="first answer", timeout=ANSWER_S)
        except BaseException as error:
            self._stop(grace=1.0)
            if isinstance(error, ConditionNotMetError):
                raise InvalidLoadError(f"{self.plan.url}: {error}\n{self._generator.output()}") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the load and judge it; see `report`.

        Raises:
            InvalidLoadError: The run was not what was asked for.
            ClockError: The load generator did not have the harness's clock.
        """
        del kind, trace
        stopping = self.plan.epoch.now() if self._generator.poll() is None else None
        code = self._stop(grace=self._drain_s() + 10)
        ended = self.plan.epoch.now()
        statuses, requests = read_statuses(self._status), self.requests()
        self._report = make_report(self.plan, statuses, requests)
        if isinstance(error, (InvalidLoadError, KeyboardInterrupt, SystemExit)):
            return
        try:
            self._judge(self._report, statuses, code)
            if statuses:
                require_end(
                    statuses,
                    first=requests.first,
                    last=requests.last,
                    stopping=stopping if self._was_asked_to_stop(statuses[0], stopping) else None,
                    ended=ended,
                )
        except (InvalidLoadError, ClockError) as invalid:
            raise invalid from error

    @property
    def pid(self) -> int | None:
        """Process id of the load generator on this machine, or of its master; None if there is none."""
        return self._generator.pid

    @property
    def report(self) -> RunReport:
        """The totals of the load. Raises FiredampError while the load is running."""
        if self._report is None:
            raise FiredampError("the load has not ended yet", hint="read the report after the `with` block")
        return self._report

    def requests(self) -> Requests:
        """Return all requests recorded so far, ordered by the time sent.

        Raises:
            CorruptRecordError: A record file is damaged.
        """
        return self.log.read(path for path in self._paths() if path.exists())

    def wait_for_end(self) -> None:
        """Wait until the last schedule has ended and every answer was recorded.

        Raises:
            InvalidLoadError: The load generator did not end by itself.
        """
        if not self._has_begun:
            raise FiredampError("the load has not begun", hint="wait inside the `with` block")
        try:
            self._generator.wait(self.plan.duration + self._drain_s() + 10)
        except subprocess.TimeoutExpired as error:
            raise InvalidLoadError(
                "the load generator outlived its schedule", hint=f"see {self._log}"
            ) from error

    def require_flowing(self) -> None:
        """Make sure that the load is, and so far was, what was asked for.

        Raises:
            InvalidLoadError: Locust ended or hangs, or sent too little, or was out of CPU.
        """
        # Taken before the statuses are read, so that a stall of this process is not taken for a silent load.
        now = self.plan.epoch.now()
        statuses = read_statuses(self._status)
        if not self._has_begun or self._generator.poll() is not None or not statuses:
            ended = " (its schedule has ended)" if self._has_begun and self._generator.poll() == 0 else ""
            raise InvalidLoadError(f"the load generator is not running{ended}\n{self._generator.output()}")
        judge_so_far(self.plan, statuses, now)

    def _was_asked_to_stop(self, first: Status, stopping: float | None) -> bool:
        """Whether the load was asked to stop before the end of its schedules."""
        return stopping is not None and stopping < first.began + self.plan.duration

    def _judge(self, report: RunReport, statuses: list[Status], code: int) -> None:
        if doubts := self._generator.doubts():
            raise InvalidLoadError(f"{doubts}; {report}")
        require_workers(statuses, str(report), has_ended=True)
        judge(report)
        if code != 0:
            raise InvalidLoadError(f"Locust ended with {code}; {report}\n{self._generator.output()}")

    def _paths(self) -> list[Path]:
        return [requests_file(self._folder, name) for name in self._names]

    def _job(self) -> Job:
        longest = math.ceil(self.plan.duration + self._drain_s())
        return Job(self.plan, self._folder, self._log, longest, self._drain_s())

    def _drain_s(self) -> int:
        """Seconds after which the last request has been answered or has timed out."""
        return math.ceil(self.plan.timeout + 0.5)  # Locust takes whole seconds.

    def _begun(self) -> Status:
        statuses = read_statuses(self._status)
        if not statuses:
            if doubts := self._generator.doubts():
                raise InvalidLoadError(doubts)
            self._require_running()
            raise PendingError("it has not spawned its users")
        require_workers(statuses, "no request was sent")
        return statuses[0]

    def _answered(self) -> None:
        requests = self.requests()
        if requests.status.any():
            return
        self._require_running()
        raise PendingError(f"{len(requests):,} requests ended without one ({counted(errors(requests))})")

    def _require_running(self) -> None:
        if self._generator.poll() is not None:
            raise InvalidLoadError(f"Locust ended before the first answer\n{self._generator.output()}")

    def _stop(self, grace: float) -> int:
        """End Locust and return its exit code; it has `grace` seconds for answers that are still awaited."""
        if not self._has_begun:
            return 0
        if self._generator.poll() is None:
            self._generator.terminate()
        try:
            return self._generator.wait(grace)
        except subprocess.TimeoutExpired:
            self._generator.kill()
            return self._generator.wait(_KILLED_S)
