"""The worker of a distributed load: it sends its part of the schedule, and its records to the master."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gevent

from fixtures.core.clock import Epoch
from loadgen.distribution import Role
from loadgen.division import Part
from loadgen.ledger import Ledger
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
    Ping,
    Post,
)
from loadgen.outbox import Outbox

# Each message costs the master some time. The live page shows requests later by this.
_SEND_S = 0.1
_STATUS_EVERY = 3


class Worker:
    """What a worker does beside its users.

    Attributes:
        ledger: The books of its part of the load.
    """

    def __init__(self, role: Role) -> None:
        """Take the role; messages can be sent once `attach` was called."""
        self._role = role
        self._has_begun = False
        self._epoch = role.epoch
        self._outbox = Outbox(lambda lines: self._post.send(LINES, lines))
        self.ledger = Ledger(role.plan, self._outbox.of, _StatusOutlet(self))

    def attach(self, environment: Any, begun: Callable[[], object]) -> None:  # noqa: ANN401 - Locust's
        """Answer the master's messages from now on, and tell it the name.

        Args:
            environment: Locust's environment.
            begun: Called when the schedule begins.
        """
        self._runner, self._begun = environment.runner, begun
        self._post = Post(self._runner, self._role.token)
        self._post.on(PING, Ping, self._answer)
        self._post.on(BEGIN, Begin, self._begin)
        self._post.on(KNOWN, Known, lambda _, known: self._outbox.known(known.number))
        # A worker that waits for answers must still read messages, so this runs beside it.
        self._post.on(END, Empty, lambda *_: gevent.spawn(self._runner.stop))
        self._post.send(HELLO, Hello(self._role.name))
        gevent.spawn(self._keep_books).link_exception(lambda _: os._exit(3))

    def send_status(self, line: bytes) -> None:
        """Send a status of the ledger to the master."""
        self._post.send(STATUS, Line(line))

    def _answer(self, _: str, ping: Ping) -> None:
        self._post.send(CLOCK, Clock(ping.number, self._epoch.now()))

    def _begin(self, _: str, begin: Begin) -> None:
        self._epoch = Epoch(self._epoch.wall - begin.correction, self._epoch.monotonic)
        at = begin.at - self._epoch.wall + self._epoch.monotonic
        self.ledger.begin_schedule(at, Part(begin.index, begin.count), self._epoch)
        self._begun()
        self._has_begun = True

    def _keep_books(self) -> None:
        """Send records and statuses while there are users; then the rest, and that this was all."""
        ticks = 0
        while not self._has_begun or self._runner.user_count:
            gevent.sleep(_SEND_S)
            ticks += 1
            if ticks % _STATUS_EVERY:
                self.ledger.flush()
            else:
                self.ledger.report()
        self.ledger.flush()
        while not self._outbox.is_empty:
            gevent.sleep(_SEND_S)
            self.ledger.report()
        self.ledger.report()
        self._post.send(ENDED)


class _StatusOutlet:
    """Where the ledger writes statuses."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def write(self, data: bytes, /) -> None:
        self._worker.send_status(data)

    def close(self) -> None:
        """Locust closes the connection."""
