"""Waits on another machine for loads of a harness, and sends a part of each: `firedamp load worker`.

It listens with TLS for those who have its key. Locust's worker is a process that it starts for each load, and
that connects to it on loopback: so nothing of Locust's own protocol, which has no passwords, is on a network.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fixtures.core.errors import FiredampError
from fixtures.core.process import spawn
from loadgen.distribution import Role
from loadgen.generators import LOCUSTFILE, LOOPBACK, last_lines
from loadgen.joining import HANDSHAKE_S, LONGEST_LINE, Connection, Invitation, Reply, code, relay
from loadgen.plan import LoadPlan
from loadgen.target import target

# Until Locust has been imported and connects.
_WORKER_S = 60.0
_LOOK_S = 0.2


class JoinedWorker:
    """What listens for loads; several can go on at a time, each with a process of its own.

    Attributes:
        tasks: Those that serve a harness now.
    """

    def __init__(self, context: ssl.SSLContext, tell: Callable[[str], object]) -> None:
        """Take what knows the key, and what is called with a line for each load."""
        self.tasks: set[asyncio.Task[None]] = set()
        self._context, self._tell = context, tell

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Listen from now on, and return what does.

        Raises:
            FiredampError: It cannot listen there.
        """
        try:
            return await asyncio.start_server(
                self._serve,
                host,
                port,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                limit=LONGEST_LINE,
            )
        except OSError as error:
            message = f"{host}:{port} cannot be listened at: {error.strerror}"
            raise FiredampError(message, hint="name a free port at an address of this machine") from error

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        harness = Connection(reader, writer)
        if task := asyncio.current_task():
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        with suppress(OSError, ValueError, TimeoutError):
            invitation = await asyncio.wait_for(_invitation(reader), HANDSHAKE_S)
            if isinstance(invitation, str):
                await _say(writer, Reply(invitation))
            else:
                with TemporaryDirectory(prefix="firedamp-load-") as folder:
                    await self._take_part(invitation, harness, Path(folder))
        harness.close()

    async def _take_part(self, invitation: Invitation, harness: Connection, folder: Path) -> None:
        arrived: asyncio.Queue[Connection] = asyncio.Queue()

        async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await arrived.put(Connection(reader, writer))

        listening = await asyncio.start_server(arrive, LOOPBACK, 0)
        port = listening.sockets[0].getsockname()[1]
        plan = LoadPlan.from_json(invitation.plan)
        role = Role(plan, folder, invitation.token, name=invitation.name, boot=invitation.boot)
        log = folder / "worker.log"
        process = spawn(
            [
                *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--worker"),
                *("--master-host", LOOPBACK, "--master-port", str(port)),
            ],
            log=log,
            env=role.environment(),
        )
        self._tell(f"a load of {plan.url} begins: {', '.join(stream.name for stream in plan.streams)}")
        try:
            await _say(harness.writer, Reply())
            worker = await asyncio.wait_for(arrived.get(), _WORKER_S)
            # It is the only one: whoever else comes is not passed on.
            listening.close()
            await relay(harness, worker)
        finally:
            listening.close()
            ended = await _end(process)
            self._tell(
                "the load has ended" if ended == 0 else f"its worker ended with {ended}\n{last_lines(log)}"
            )


async def _invitation(reader: asyncio.StreamReader) -> Invitation | str:
    """What the harness invites to, or why that is refused."""
    line = await reader.readline()
    try:
        invitation = msgspec.json.decode(line, type=Invitation)
        if invitation.code != code():
            return (
                "it has another state of Firedamp's load generator, or another Locust: install the same there"
            )
        target(LoadPlan.from_json(invitation.plan).url)
    except msgspec.ValidationError as error:
        return f"it has another state of Firedamp's load generator: {error}"
    except FiredampError as error:
        return error.message
    return invitation


async def _say(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(msgspec.json.encode(reply) + b"\n")
    await writer.drain()


async def _end(process: subprocess.Popen[bytes]) -> int:
    """Give Locust the time to end by itself, as its master tells it to; return its exit code."""
    try:
        for _ in range(int(HANDSHAKE_S / _LOOK_S)):
            if process.poll() is not None:
                break
            await asyncio.sleep(_LOOK_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode
