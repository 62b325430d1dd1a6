from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fixtures.core.errors import FiredampError
from kind_host import ports

TCP = "-proto tcp -host-ip {} -host-port 8080 -container-ip 172.18.0.2 -container-port 80\n"


class Relays:
    """Notes what it is asked for; port 8080 may be taken."""

    opened: list[tuple[str, int, int]]
    closed: asyncio.Event
    taken: bool

    def __init__(self, pid: int) -> None:
        assert pid == 42

    async def to_node(self, host: str, port: int, *, listen: int) -> int:
        if Relays.taken:
            raise FiredampError("port 8080 on loopback: in use", hint="choose another")
        Relays.opened.append((host, port, listen))
        return listen

    async def close(self) -> None:
        Relays.closed.set()


@pytest.fixture(autouse=True)
def _no_real_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    Relays.opened, Relays.closed, Relays.taken = [], asyncio.Event(), False
    monkeypatch.setattr(ports, "Relays", Relays)


async def _ask(path: Path, question: str) -> tuple[str, bool]:
    """Return the answer, and whether the relays were closed by then; they are when the connection ends."""
    server = await asyncio.start_unix_server(ports.Server(42).serve, path)
    async with server:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(question.encode())
        answer = (await reader.readline()).decode()
        early = Relays.closed.is_set()
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(Relays.closed.wait(), 2)
    return answer, early


def test_a_port_is_open_as_long_as_it_is_asked_for(tmp_path: Path) -> None:
    assert asyncio.run(_ask(tmp_path / "s", TCP.format("127.0.0.1"))) == ("\n", False)
    assert Relays.opened == [("172.18.0.2", 80, 8080)]


def test_a_port_on_all_addresses_is_opened_once(tmp_path: Path) -> None:
    assert asyncio.run(_ask(tmp_path / "s", TCP.format("::")))[0] == "\n"
    assert not Relays.opened


def test_a_port_that_is_taken_is_refused_in_one_line(tmp_path: Path) -> None:
    Relays.taken = True
    answer, _ = asyncio.run(_ask(tmp_path / "s", TCP.format("0.0.0.0")))  # noqa: S104 - as docker says
    assert answer == "port 8080 on loopback: in use -> choose another\n"


def test_a_port_of_another_protocol_is_refused(tmp_path: Path) -> None:
    answer = asyncio.run(_ask(tmp_path / "s", TCP.format("127.0.0.1").replace("tcp", "udp")))[0]
    assert answer == "ports of udp cannot be published here\n"
