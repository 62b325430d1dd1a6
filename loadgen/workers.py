"""How many Locust workers share a load, as users write it."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted
from loadgen.generators import MOST_WORKERS, Generator, OneProcess, Processes
from loadgen.plan import MOST_USERS

_IN_CLUSTER = "in-cluster:"


@dataclass(frozen=True)
class Workers:
    """The workers that share a load.

    Attributes:
        count: How many there are; 0 for a load of one process of this machine, without a master.
        in_cluster: Whether they are pods of the cluster; if not, they are processes of this machine.
    """

    count: int = 0
    in_cluster: bool = False


def parse_workers(text: int | str, what: str = "workers") -> Workers:
    """Return the workers that a user has asked for.

    Args:
        text: What the user wrote; "" for none.
        what: The name of the setting, for errors: "--load-workers".

    Raises:
        FiredampError: It names no workers.
    """
    written = str(text).strip() or "0"
    in_cluster = written.startswith(_IN_CLUSTER)
    written = written.removeprefix(_IN_CLUSTER)
    number = int(written) if written.isascii() and written.isdecimal() else -1
    if not int(in_cluster) <= number <= MOST_WORKERS:
        hint = (
            f"processes of this machine, such as 4, or pods, such as {_IN_CLUSTER}4; at most {MOST_WORKERS}"
        )
        raise FiredampError(f"{what}: {quoted(str(text))} cannot be the workers of a load", hint=hint)
    return Workers(number, in_cluster)


def generator_of(workers: Workers, *, most_users: int = MOST_USERS) -> Generator:
    """Return what sends a load from this machine.

    Args:
        workers: How many workers share it.
        most_users: The largest number of clients of a stream that does not set its number of users.
    """
    if workers.count:
        return Processes(workers.count, most_users=most_users)
    return OneProcess(most_users=most_users)
