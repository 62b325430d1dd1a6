"""How many Locust workers share a load, as users write it."""

from __future__ import annotations

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted
from loadgen.generators import MOST_WORKERS, Generator, OneProcess, Processes
from loadgen.plan import MOST_USERS


def parse_workers(text: int | str, what: str = "workers") -> int:
    """Return a number of workers; 0 for a load of one process without a master.

    Args:
        text: What the user wrote; "" for none.
        what: The name of the setting, for errors: "--load-workers".

    Raises:
        FiredampError: It is no number of workers.
    """
    written = str(text).strip() or "0"
    number = int(written) if written.isascii() and written.isdecimal() else -1
    if not 0 <= number <= MOST_WORKERS:
        hint = f"a number of processes on this machine, from 0 to {MOST_WORKERS}, such as 4"
        raise FiredampError(f"{what}: {quoted(str(text))} cannot be the workers of a load", hint=hint)
    return number


def generator_of(workers: int, *, most_users: int = MOST_USERS) -> Generator:
    """Return what sends a load.

    Args:
        workers: How many workers share it; 0 for one process without a master.
        most_users: The largest number of clients of a stream that does not set its number of users.
    """
    if workers:
        return Processes(workers, most_users=most_users)
    return OneProcess(most_users=most_users)
