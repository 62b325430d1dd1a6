"""The file that Locust runs: its users send each request of the schedule at its intended time.

`loadgen.runner` starts it, with the plan in an environment variable. Each stream is a
user class. A user claims the next send time of its stream, waits until then (by
Locust's own `wait_time`, so that it can be stopped while it waits), sends the request, and
claims the next. If no user is free, a send time is claimed late, and its
request is sent and recorded late. No request is skipped.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from locust import User, events, task
from locust.env import Environment
from locust.exception import StopUser

from fixtures.core.priority import go_first
from loadgen.client import Client
from loadgen.distribution import role
from loadgen.ledger import Answer, Due, Ledger, StreamLedger, in_folder
from loadgen.master import Master
from loadgen.worker import Worker

# The harness reads the files while they are written, the first answer as soon as it is there.
FLUSH_S = 0.05

go_first()
_role = role()
_plan = _role.plan
_master = Master(_role) if _role.workers else None
_worker = Worker(_role) if _role.name else None
# A master sends nothing, so that it has nothing to keep books of.
_ledger = _worker.ledger if _worker else None if _master else in_folder(_plan, _role.folder)
_started = Event()


class ScheduledUser(User):
    """One client of a stream, with one connection and one request at a time."""

    abstract = True
    stream: StreamLedger

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        target = urlsplit(_plan.url)
        self.http = Client((target.hostname or "", target.port or 80), _plan.timeout)
        self.due: Due | None = None

    def on_start(self) -> None:
        """Wait until all users are there, so that the first requests are not late."""
        _started.wait()

    def wait_time(self) -> float:
        """Claim the stream's next send time and return the seconds until then; 0 if it has passed."""
        self.due = self.stream.claim()
        if self.due is None:
            raise StopUser
        return max(self.due.at - time.monotonic(), 0.0)

    @task
    def send(self) -> None:
        """Send the request that is due. Before the first wait, Locust calls this when none is due."""
        if self.due is None:
            return
        if self.stream.is_over:
            # It became due while Locust was already stopping other users; it would be cut off at once.
            raise StopUser
        at, message = self.due
        attempt = self.stream.begin(at, message)
        try:
            answer = self.http.answer(message)
        except gevent.GreenletExit:
            no_answer = Answer(error="cut off when the load was stopped")
            self.stream.end(attempt, no_answer, reused=self.http.reused)
            raise
        self.stream.end(attempt, answer, reused=self.http.reused)


def begin(**_: object) -> None:
    """Start the schedules; Locust calls this once all users are spawned. Workers wait for the master."""
    if _master:
        _master.begin()
    elif _ledger and not _worker:
        _ledger.begin_schedule()
        _ledger.report()
        _started.set()


def keep_books(environment: Environment, **_: object) -> None:
    """Start the greenlet that writes records and status, and ends Locust when all schedules have ended."""
    # Errors quote the last lines of the log, which would all be Locust's own summary.
    logging.getLogger("locust.stats_logger").setLevel(logging.CRITICAL)
    if _master:
        _master.attach(environment)
        # Listeners are called in reverse: this one before that of Locust, which dismisses the workers.
        _hooks.quitting.add_listener(end_workers)
    elif _worker:
        _worker.attach(environment, _started.set)
    elif _ledger:
        gevent.spawn(_write, environment, _ledger).link_exception(lambda _: os._exit(3))


def stop_asking(**_: object) -> None:
    """End the schedules when Locust is stopped, so that requests due later do not count as missing."""
    if _ledger:
        _ledger.end_schedule()


def end_workers(**_: object) -> None:
    """Let workers end in order when the master is asked to end."""
    if _master:
        _master.end()


def close_books(**_: object) -> None:
    """Write the last records and the last status; Locust calls this when all users have ended."""
    if _ledger and not _worker:
        _ledger.close()


def _write(environment: Environment, ledger: Ledger) -> None:
    ticks = 0
    while not (_started.is_set() and not _users(environment)):
        gevent.sleep(FLUSH_S)
        ticks += 1
        if ticks % 5:
            ledger.flush()
        else:
            ledger.report()
    if environment.runner is not None and not ledger.stopped:
        environment.runner.quit()


def _users(environment: Environment) -> int:
    return environment.runner.user_count if environment.runner is not None else 0


for _planned in _plan.streams:
    globals()[f"User_{_planned.name}"] = type(
        f"User_{_planned.name}",
        (ScheduledUser,),
        {
            "stream": _ledger.stream(_planned.name) if _ledger else None,
            "fixed_count": _planned.users,
            "abstract": False,
        },
    )
_hooks: Any = events  # Locust's hooks are not annotated.
_hooks.init.add_listener(keep_books)
_hooks.spawning_complete.add_listener(begin)
_hooks.test_stopping.add_listener(stop_asking)
_hooks.quit.add_listener(close_books)
