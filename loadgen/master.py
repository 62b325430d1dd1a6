"""The master of a distributed load: it compares clocks, lets all workers begin, and writes what they send."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
import msgspec
from gevent.event import Event

from fixtures.core.clock import Epoch
from fixtures.core.record import to_line
from loadgen.collecting import Collecting
from loadgen.dispatching import EvenDispatcher
from loadgen.distribution import Role, port_file
from loadgen.ledger import Outlet, requests_outlet, status_outlet
from loadgen.messages import (
    BEGIN,
    CLOCK,
    END,
    ENDED,
    HELLO,
    KNOWN,
    LINES,
    PING,
    STATUS,
    Begin,
    Clock,
    Empty,
    Hello,
    Known,
    Line,
    Lines,
    Ping,
    Post,
)
from loadgen.offsets import Exchange, Offset, best
from loadgen.status import Status, WorkerState, WorkerStatus, files_of

_log = logging.getLogger(__name__)
# The state that Locust gives a worker which has not sent a heartbeat for three seconds.
_MISSING = "missing"
_STATUS_S = 0.25
# The message by which workers begin is with each of them before that.
_LEAD_S = 0.3
_HELLO_S = 5.0
# For workers that are asked to end, beyond the time that a request may take.
_END_S = 8.0
# How long the harness may take to say something.
_HARNESS_S = 120.0
_ROUNDS, _ROUND_S = 20, 0.5
# A clock that is known this well need not be asked again.
_GOOD_ENOUGH_S = 0.001
_PAUSE_S = 0.002


@dataclass
class _Known:
    """What is known of one worker.

    Attributes:
        name: What it calls itself.
        last: Its last status.
        offsets: By how much its clock was ahead, each time it was compared.
        exchanges: Its answers since clocks are compared.
        lines: The number of its last message with records.
        state: See `WorkerStatus`.
    """

    name: str
    last: Status | None = None
    offsets: list[Offset] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    lines: int = 0
    state: WorkerState = "running"


class Master:
    """What the master does beside Locust."""

    def __init__(self, role: Role) -> None:
        """Take the role, and open the files of the load."""
        self._role = role
        self._epoch = role.epoch
        self._requests = {each.name: requests_outlet(role.folder, each.name) for each in role.plan.streams}
        self._statuses: Outlet = status_outlet(role.plan, role.folder)
        self._workers: dict[str, _Known] = {}
        self._pings: dict[int, float] = {}
        self._began: float | None = None
        self._ended: float | None = None
        self._is_over = False
        self._may_begin, self._is_collected = Event(), Event()

    def attach(self, environment: Any) -> None:  # noqa: ANN401 - Locust's
        """Take the workers' messages from now on, and divide users among them."""
        self._runner = environment.runner
        self._post = Post(self._runner, self._role.token)
        self._post.on(HELLO, Hello, self._greet)
        self._post.on(CLOCK, Clock, self._compare)
        self._post.on(LINES, Lines, self._write)
        self._post.on(STATUS, Line, self._note)
        self._post.on(ENDED, Empty, self._part)
        if self._role.collect:
            self._hand_out(self._role.collect)
        else:
            port_file(self._role.plan, self._role.folder).write_text(f"{self._runner.server.port}\n")
            self._may_begin.set()
            self._is_collected.set()
        # Locust makes the dispatcher when all workers are there.
        environment.dispatcher_class = type(
            "Dispatcher", (EvenDispatcher,), {"ranked": lambda _: list(self._ranked())}
        )

    def begin(self) -> None:
        """Compare clocks and let all workers begin at one moment; Locust calls this once there are users.

        If the load cannot be what was asked for, a status says why, and nothing is sent.
        """
        if self._began is not None:  # Locust has lost a worker, and has distributed its users anew
            return
        self._may_begin.wait(_HARNESS_S)
        self._wait(lambda: self._workers.keys() >= set(self._runner.clients), _HELLO_S)
        self._look()
        self._measure()
        self._began = self._epoch.now() + _LEAD_S
        if not self._are_fit():
            self._ended = self._began = self._epoch.now()
            self._report()
            self._finish()
            return
        for index, client in enumerate(self._ranked()):
            correction = self._workers[client].offsets[0].correction
            self._post.send(BEGIN, Begin(self._began, index, len(self._workers), correction), client)
        gevent.spawn(self._keep_books).link_exception(lambda _: os._exit(3))

    def end(self) -> None:
        """End the schedules, and return when all workers have sent their records, or do not answer."""
        if self._began is None or self._ended is not None:
            return
        self._ended = self._epoch.now()
        self._post.send(END)
        self._wait(lambda: self._is_over, self._role.plan.timeout + _END_S)

    def _keep_books(self) -> None:
        """Write statuses while a worker runs; then compare clocks again, and end if nobody else does."""
        while any(worker.state == "running" for worker in self._workers.values()):
            self._report()
            gevent.sleep(_STATUS_S)
            self._look()
        self._measure()
        self._report()
        self._finish()

    def _finish(self) -> None:
        """Let the harness have all files, if it has not got them already, and end Locust if nobody does."""
        self._is_over = True
        self._is_collected.wait(_HARNESS_S)
        if self._ended is None or self._role.collect:
            self._runner.quit()

    def _hand_out(self, port: int) -> None:
        """Serve the files of the load, and obey the harness, which is not on this machine."""
        streams = [stream.name for stream in self._role.plan.streams]
        collecting = Collecting(
            self._role.token,
            files_of(self._role.folder, streams),
            lambda: {"t": self._epoch.now(), "is_over": self._is_over},
        )
        collecting.on("begin", self._let_begin)
        collecting.on("end", lambda _: gevent.spawn(self.end))
        collecting.on("collected", lambda _: self._is_collected.set())
        collecting.serve(port)

    def _let_begin(self, said: Mapping[str, Any]) -> None:
        self._epoch = Epoch(self._epoch.wall - float(said["correction"]), self._epoch.monotonic)
        self._may_begin.set()

    def _ranked(self) -> Iterator[str]:
        """Locust's ids of the workers of this run, in the order of their parts."""
        return iter(sorted(self._workers, key=self._runner.get_worker_index))

    def _look(self) -> None:
        """Notice workers that have gone, and those that this run has not started."""
        for client in list(self._runner.clients):
            self._workers.setdefault(client, _Known(client, state="foreign"))
        for client, worker in self._workers.items():
            node = self._runner.clients.get(client)
            if worker.state == "running" and (node is None or node.state == _MISSING):
                worker.state = "lost"

    def _are_fit(self) -> bool:
        workers = self._workers.values()
        return len(workers) == self._role.workers and all(
            worker.state == "running" and all(offset.is_acceptable for offset in worker.offsets)
            for worker in workers
        )

    def _measure(self) -> None:
        """Compare the clock of each worker that answers with the own one."""
        asked = {client: worker for client, worker in self._workers.items() if worker.state in _ANSWER}
        for worker in asked.values():
            worker.exchanges.clear()
        for number in range(1, _ROUNDS + 1):
            for client in asked:
                ping = Ping(len(self._pings))
                self._pings[ping.number] = self._epoch.now()
                self._post.send(PING, ping, client)
            self._wait(_have_answered(asked, number), _ROUND_S)
            known = [best(worker.exchanges) for worker in asked.values()]
            if all(each is not None and each.within <= _GOOD_ENOUGH_S for each in known):
                break
        for worker in asked.values():
            if (offset := best(worker.exchanges)) is None:
                worker.state = "lost"
            else:
                worker.offsets.append(offset)

    def _report(self) -> None:
        now = self._epoch.now()
        began = self._began if self._began is not None else now
        told = [worker.last for worker in self._workers.values() if worker.last]
        names = [stream.name for stream in self._role.plan.streams]
        status = Status(
            t=now,
            began=began,
            until=max(self._ended or now, began),
            sent={name: sum(each.sent.get(name, 0) for each in told) for name in names},
            starved={name: sum(each.starved.get(name, 0) for each in told) for name in names},
            cpu_s=time.process_time(),
            workers={worker.name: _status_of(worker, began) for worker in self._workers.values()},
        )
        self._statuses.write(to_line(status))

    def _greet(self, client: str, hello: Hello) -> None:
        self._workers[client] = _Known(hello.name)

    def _compare(self, client: str, clock: Clock) -> None:
        sent = self._pings.get(clock.number)
        if sent is not None and client in self._workers:
            self._workers[client].exchanges.append(Exchange(sent, clock.t, self._epoch.now()))

    def _write(self, client: str, lines: Lines) -> None:
        worker, outlet = self._workers.get(client), self._requests.get(lines.stream)
        if worker is None or outlet is None:
            return
        if lines.number != worker.lines + 1:
            _log.error("records of %s are missing before number %d", worker.name, lines.number)
            worker.state = "lost"
            return
        try:
            outlet.write(lines.data)
        except OSError:
            _log.exception("records cannot be written")
            os._exit(3)
        worker.lines = lines.number
        self._post.send(KNOWN, Known(lines.number), client)

    def _note(self, client: str, line: Line) -> None:
        if worker := self._workers.get(client):
            worker.last = msgspec.json.decode(line.data, type=Status)

    def _part(self, client: str, _: Empty) -> None:
        worker = self._workers.get(client)
        if worker and worker.state == "running":
            worker.state = "ended"

    def _wait(self, is_met: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_met() and time.monotonic() < deadline:
            gevent.sleep(_PAUSE_S)


_ANSWER = ("running", "ended")


def _have_answered(asked: Mapping[str, _Known], number: int) -> Callable[[], bool]:
    return lambda: all(len(worker.exchanges) >= number for worker in asked.values())


def _status_of(worker: _Known, began: float) -> WorkerStatus:
    return WorkerStatus(
        # A worker says nothing before it has begun.
        t=worker.last.t if worker.last else began,
        sent=sum(worker.last.sent.values()) if worker.last else 0,
        cpu_s=worker.last.cpu_s if worker.last else 0.0,
        state=worker.state,
        offsets=tuple(worker.offsets),
    )
