"""Which Locust workers share a load, as users write it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted
from fixtures.core.urls import address
from loadgen.elsewhere import Elsewhere, named
from loadgen.generators import MOST_WORKERS, Generator, OneProcess, Processes
from loadgen.plan import MOST_USERS

_IN_CLUSTER = "in-cluster:"


@dataclass(frozen=True)
class Workers:
    """The workers that share a load.

    Attributes:
        count: How many there are; 0 for a load of one process of this machine, without a master.
        in_cluster: Whether they are pods of the cluster.
        addresses: Host and port of each worker that waits on another machine. If there are none, and they are
            not in the cluster, they are processes of this machine.
    """

    count: int = 0
    in_cluster: bool = False
    addresses: tuple[tuple[str, int], ...] = ()


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
    if ":" in written and not in_cluster:
        addresses = tuple(address(each.strip(), what) for each in written.split(","))
        _require_each_once(addresses, what)
        return Workers(len(addresses), addresses=addresses)
    written = written.removeprefix(_IN_CLUSTER)
    number = int(written) if written.isascii() and written.isdecimal() else -1
    if not int(in_cluster) <= number <= MOST_WORKERS:
        hint = (
            f"processes of this machine, such as 4; pods, such as {_IN_CLUSTER}4; or those that wait on "
            f"other machines, as HOST:PORT,HOST:PORT; at most {MOST_WORKERS}"
        )
        raise FiredampError(f"{what}: {quoted(str(text))} cannot be the workers of a load", hint=hint)
    return Workers(number, in_cluster)


def _require_each_once(addresses: tuple[tuple[str, int], ...], what: str) -> None:
    twice = next((each for each in addresses if addresses.count(each) > 1), None)
    if twice or len(addresses) > MOST_WORKERS:
        why = f"{named(*twice)} is named twice" if twice else f"there are {len(addresses)}"
        hint = f"name 1 to {MOST_WORKERS} workers, each once"
        raise FiredampError(f"{what}: {why}", hint=hint)


def generator_of(workers: Workers, *, key: Path | None = None, most_users: int = MOST_USERS) -> Generator:
    """Return what sends a load that no pods of the cluster send.

    Args:
        workers: Which workers share it.
        key: The key of workers on other machines.
        most_users: The largest number of clients of a stream that does not set its number of users.

    Raises:
        FiredampError: There is no key for workers on other machines.
    """
    if workers.addresses:
        if key is None:
            hint = "name the file that they have as well: --load-key FILE"
            raise FiredampError("workers on other machines are known by a key, and none is named", hint=hint)
        return Elsewhere(workers.addresses, key, most_users=most_users)
    if workers.count:
        return Processes(workers.count, most_users=most_users)
    return OneProcess(most_users=most_users)
