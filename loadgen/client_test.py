from __future__ import annotations

import fcntl
import resource
import socket
from collections.abc import Iterator

import pytest

from loadgen.client import _is_open

# More than the descriptors that `select` can look at.
_HIGH = 1024


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, of which the first has a high descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    low, theirs = socket.socketpair()
    mine = socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD, _HIGH))
    low.close()
    with mine, theirs:
        yield mine, theirs
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_is_open_until_one_of_its_ends_is_closed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    mine, theirs = ends
    assert _is_open(mine)
    theirs.close()
    assert not _is_open(mine)
    mine.close()
    assert not _is_open(mine)


def test_a_connection_with_an_answer_that_nobody_asked_for_is_not_used(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    mine, theirs = ends
    theirs.send(b"HTTP/1.1 408 Request Timeout")
    assert not _is_open(mine)
