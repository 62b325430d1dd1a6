"""What Locust runs: users who send each request of the schedule at its intended time.

Started by `loadgen.runner` with the plan in the environment. Each lane is a
user class. A user claims the next send time of its lane, waits until then (by
Locust's own `wait_time`, so that it can be stopped while it waits), sends, and
claims the next. When no user is free, a send time is claimed late, and its
request is sent and recorded late; none is skipped.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from locust import FastHttpUser, events, task
from locust.contrib.fasthttp import LocustUserAgent
from locust.env import Environment
from locust.exception import StopUser

from loadgen.client import OneClient, OneConnectionClient
from loadgen.ledger import Answer, Attempt, LaneLedger, Ledger
from loadgen.plan import Plan
from loadgen.priority import go_first

FLUSH_S = 0.05

go_first()
_plan = Plan.from_json(os.environ["FIREDAMP_LOAD_PLAN"])
_ledger = Ledger(_plan, Path(os.environ["FIREDAMP_LOAD_FOLDER"]))
_started = Event()
# Locust reads no further than the headers of an answer that it takes for an error, and may so lose the
# connection; which statuses are errors is for the assertions to say.
LocustUserAgent.valid_response_codes = frozenset(range(100, 600))


class ScheduledUser(FastHttpUser):
    """One client of a lane, with one connection and one request at a time."""

    abstract = True
    host = _plan.url
    # The answer is what is judged; following a redirect would leave the target and hide the status.
    max_redirects = 0
    lane: LaneLedger

    def __init__(self, environment: Environment) -> None:
        target = urlsplit(_plan.url)
        self.http = OneConnectionClient(target.hostname or "", target.port or 80, _plan.timeout)
        self.client_pool = OneClient(self.http)
        super().__init__(environment)
        # No cookie of one answer may steer the next request.
        self.client.client.cookiejar = None
        self.due: float | None = None

    def on_start(self) -> None:
        """Wait until all users are there, so that the first requests are not late."""
        _started.wait()

    def wait_time(self) -> float:
        """Claim the lane's next send time and return the seconds until then; 0 when it is past."""
        self.due = self.lane.claim()
        if self.due is None:
            raise StopUser
        return max(self.due - time.monotonic(), 0.0)

    @task
    def send(self) -> None:
        """Send the request that is due; Locust calls this once before the first wait, when there is none."""
        if self.due is None:
            return
        if _ledger.stopped:
            # Due while the others were being stopped: to send it now would only cut it off.
            raise StopUser
        call = self.lane.choose()
        self.http.connection.begin()
        attempt = self.lane.begin(self.due, call)
        try:
            self.client.request(
                call.method,
                call.path,
                name=self.lane.name,
                data=call.body,
                headers=dict(call.headers),
                context={"attempt": attempt, "lane": self.lane, "connection": self.http.connection},
            )
        except gevent.GreenletExit:
            cut = Answer(error="cut off when the load was stopped")
            self.lane.end(attempt, cut, reused=self.http.connection.reused)
            raise


def record(response: Any, exception: BaseException | None, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
    """Record an answer, complete or not."""
    headers = response.headers or {}
    answer = Answer(
        status=response.status_code,
        version=headers.get("x-version"),
        pod=headers.get("x-pod"),
        error=_why(exception) if exception else None,
    )
    attempt: Attempt = context["attempt"]
    context["lane"].end(attempt, answer, reused=context["connection"].reused)


def begin(**_: object) -> None:
    """Start the schedules once every user is there."""
    _ledger.begin_schedule()
    _ledger.report()
    _started.set()


def keep_books(environment: Environment, **_: object) -> None:
    """Write the books while the run lasts, and end it when its schedules have ended."""
    # Locust's own summary would be all that is left of the log in an error.
    logging.getLogger("locust.stats_logger").setLevel(logging.CRITICAL)
    gevent.spawn(_write, environment).link_exception(lambda _: os._exit(3))


def stop_asking(**_: object) -> None:
    """Note when the run was stopped; what was due later is not missing."""
    _ledger.end_schedule()


def close_books(**_: object) -> None:
    """Write the last of it, when all users have ended."""
    _ledger.close()


def _write(environment: Environment) -> None:
    ticks = 0
    while not (_started.is_set() and not _users(environment)):
        gevent.sleep(FLUSH_S)
        ticks += 1
        if ticks % 5:
            _ledger.flush()
        else:
            _ledger.report()
    if environment.runner is not None and not _ledger.stopped:
        environment.runner.quit()


def _users(environment: Environment) -> int:
    return environment.runner.user_count if environment.runner is not None else 0


def _why(exception: BaseException) -> str:
    """Return what happened in the fewest words, without the address, so that equal errors count together."""
    cause = getattr(exception, "original", None) or exception
    if isinstance(cause, TimeoutError):
        return "timed out"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


for _lane in _ledger.lanes:
    globals()[f"User_{_lane.name}"] = type(
        f"User_{_lane.name}", (ScheduledUser,), {"lane": _lane, "fixed_count": _lane.users, "abstract": False}
    )
_hooks: Any = events  # Locust's hooks are not annotated.
_hooks.init.add_listener(keep_books)
_hooks.spawning_complete.add_listener(begin)
_hooks.request.add_listener(record)
_hooks.test_stopping.add_listener(stop_asking)
_hooks.quit.add_listener(close_books)
