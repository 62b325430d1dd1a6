"""A load whose workers run on other machines, where `firedamp load worker` waits for it.

The master is a process of this machine and listens on loopback. The harness connects to each worker, with the
key that both have, and passes on what Locust's worker and master say to each other.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import TimeoutError as NotInTimeError
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from fixtures.core.errors import FiredampError
from fixtures.core.loopback import is_loopback
from loadgen.distribution import Role, boot_id
from loadgen.generators import LOOPBACK, Job, OneProcess, start_master
from loadgen.joining import HANDSHAKE_S, LONGEST_LINE, Connection, Invitation, Reply, code, relay
from loadgen.keys import trusting_only
from loadgen.plan import MOST_USERS, LoadPlan

T = TypeVar("T")
# A worker whose connection has ended is not there: Locust's master notices that within three seconds.
_JOIN_S = 2 * HANDSHAKE_S


class Elsewhere:
    """A load generator of a master here and workers on other machines; see `loadgen.generators.Generator`.

    Attributes:
        workers: How many workers it has.
        most_users: See `Generator`.
    """

    def __init__(
        self, addresses: Sequence[tuple[str, int]], key: Path, *, most_users: int = MOST_USERS
    ) -> None:
        """Prepare one; nothing is connected to yet.

        Args:
            addresses: Host and port of each worker.
            key: The key that the workers have as well.
            most_users: See `Generator`.

        Raises:
            FiredampError: It is no key, or somebody else could have read it.
        """
        self.workers, self.most_users = len(addresses), most_users
        self._addresses = addresses
        self._context = trusting_only(key, is_server=False)
        self._master = OneProcess()
        self._links = _Links()

    @property
    def pid(self) -> int | None:
        """The process id of the master."""
        return self._master.pid

    def begin(self, job: Job) -> None:
        """Start the master, and have each worker take part.

        Raises:
            FiredampError: A worker cannot be reached, has not the key, or refuses; the text names it. Or it
                is on another machine and the load goes to this one's loopback.
        """
        for host, port in self._addresses:
            _require_reachable(job.plan, named(host, port))
        token = secrets.token_hex(16)
        master = start_master(
            self._master, job, Role(job.plan, job.folder, token, self.workers, boot=boot_id())
        )
        for host, port in self._addresses:
            invitation = Invitation(code(), named(host, port), job.plan.to_json(), token, boot_id())
            self._links.join((host, port), self._context, invitation, master)

    def poll(self) -> int | None:
        """See `Generator`."""
        return self._master.poll()

    def wait(self, timeout: float) -> int:
        """See `Generator`."""
        ended = self._master.wait(timeout)
        self._links.close()
        return ended

    def terminate(self) -> None:
        """See `Generator`."""
        self._master.terminate()

    def kill(self) -> None:
        """See `Generator`."""
        self._master.kill()
        self._links.close()

    def doubts(self) -> str:
        """Nothing is known here that statuses and requests do not say."""
        return ""

    def output(self) -> str:
        """See `Generator`."""
        return self._master.output()


def named(host: str, port: int) -> str:
    """What a worker is called: its address, as users write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _require_reachable(plan: LoadPlan, worker: str) -> None:
    if is_loopback(plan.url) and not is_loopback(f"//{worker}"):
        message = f"the load goes to {plan.url}, which is this machine, and the worker {worker} is another"
        hint = "name an address of the gateway that both reach: --gateway-url, on an existing cluster"
        raise FiredampError(message, hint=hint)


class _Links:
    """The connections to the workers; a thread of its own serves them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def join(
        self, worker: tuple[str, int], context: ssl.SSLContext, invitation: Invitation, master: int
    ) -> None:
        """Connect to a worker and to the master, and pass on what they say; see `Elsewhere.begin`."""
        try:
            self._do(self._join(worker, context, invitation, master), _JOIN_S)
        except (OSError, TimeoutError, NotInTimeError) as error:
            raise FiredampError(
                f"the worker {invitation.name} cannot be reached: {_reason(error)}",
                hint="is `firedamp load worker` running there, with the same key?",
            ) from error

    def close(self) -> None:
        """End all connections."""
        if self._loop is None or self._thread is None:
            return
        self._do(self._end(), _JOIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_S)
        self._loop = None

    async def _join(
        self, worker: tuple[str, int], context: ssl.SSLContext, invitation: Invitation, master: int
    ) -> None:
        host, port = worker
        opened = asyncio.open_connection(host, port, ssl=context, limit=LONGEST_LINE)
        there = Connection(*await asyncio.wait_for(opened, HANDSHAKE_S))
        try:
            there.writer.write(msgspec.json.encode(invitation) + b"\n")
            await there.writer.drain()
            _require_acceptance(await asyncio.wait_for(there.reader.readline(), HANDSHAKE_S), invitation.name)
            here = Connection(*await asyncio.open_connection(LOOPBACK, master))
        except BaseException:
            there.close()
            raise
        task = asyncio.create_task(relay(there, here))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _do(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._running()).result(seconds)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_serve, args=(self._loop,), daemon=True)
            self._thread.start()
        return self._loop


def _require_acceptance(line: bytes, worker: str) -> None:
    if not line:
        raise ConnectionResetError("it closed the connection")
    if refusal := msgspec.json.decode(line, type=Reply).refusal:
        raise FiredampError(f"the worker {worker} refuses: {refusal}")


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it has another key, or is no `firedamp load worker` ({error.reason or error})"
    return getattr(error, "strerror", None) or str(error) or "no answer in time"
