"""What to send, where and when: the plan that the load generator's process is given."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from fixtures.core.clock import Epoch
from fixtures.core.errors import FiredampError
from loadgen.message import Message, to_message
from loadgen.shapes import Pieces, Segment, Shape
from loadgen.target import target

MOST_USERS = 500


@dataclass(frozen=True)
class Call:
    """One kind of request in a lane's mix.

    Attributes:
        path: Path and query.
        method: HTTP method.
        weight: How often, relative to the lane's other calls.
        headers: Headers added to the lane's own.
        body: Body, sent as UTF-8.
    """

    path: str = "/payments"
    method: str = "GET"
    weight: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise FiredampError(f"a path begins with a slash: {self.path!r}")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise FiredampError(f"{self.path}: a weight is greater than 0, not {self.weight:g}")


@dataclass(frozen=True)
class Lane:
    """One stream of load, recorded in its own file, with clients and connections of its own.

    Attributes:
        name: Names the lane in records and files: "active".
        host: The Host header, by which the gateway routes.
        calls: The mix of requests.
        headers: Headers of every request.
        shape: The lane's own shape, instead of the traffic's.
        users: Clients at most, each with one connection and one request at a time; by default one second's
            worth of requests, 10 to 500. When all of them wait for answers, requests are late.
    """

    name: str
    host: str
    calls: tuple[Call, ...] = (Call(),)
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: Shape | None = None
    users: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.name):
            raise FiredampError(f"a lane's name is lower-case letters, digits and dashes, not {self.name!r}")
        if not self.calls or (self.users is not None and self.users < 1):
            raise FiredampError(f"lane {self.name}: it needs at least one call and one user")


@dataclass(frozen=True)
class PlannedLane:
    """A lane with everything decided."""

    name: str
    host: str
    calls: tuple[Call, ...]
    headers: Mapping[str, str]
    shape: Pieces
    users: int

    def messages(self) -> list[Message]:
        """Return what each call sends.

        Raises:
            FiredampError: HTTP cannot say it.
        """
        return [
            to_message(call.method, call.path, self.host, {**self.headers, **call.headers}, call.body)
            for call in self.calls
        ]


@dataclass(frozen=True)
class Plan:
    """A run with everything decided.

    Attributes:
        url: `http://ADDRESS:PORT`, of this machine or a private network.
        lanes: At least one; their names differ.
        timeout: Seconds to wait for a connection, and for each part of an answer.
        epoch: When the run began, from which all its processes take the times of their records.
    """

    url: str
    lanes: tuple[PlannedLane, ...]
    timeout: float
    epoch: Epoch

    @property
    def duration(self) -> float:
        """Seconds until the last lane's schedule ends."""
        return max(lane.shape.duration for lane in self.lanes)

    def to_json(self) -> str:
        """Return the plan as text, to be read by `from_json` in another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that `to_json` wrote."""
        row = json.loads(text)
        lanes = []
        for lane in row["lanes"]:
            pieces = tuple(Segment(*piece) for piece in lane["shape"]["pieces"])
            calls = tuple(Call(**call) for call in lane["calls"])
            lanes.append(PlannedLane(**(lane | {"calls": calls, "shape": Pieces(pieces)})))
        return cls(row["url"], tuple(lanes), row["timeout"], Epoch(*row["epoch"]))


def make_plan(
    url: str,
    lanes: tuple[Lane, ...],
    shape: Shape,
    timeout: float,
    *,
    epoch: Epoch,
    most_users: int = MOST_USERS,
) -> Plan:
    """Decide everything about a run; a lane that does not say has `most_users` clients at most.

    Raises:
        FiredampError: The target is public or not plain HTTP, the lanes are none or not distinct, or HTTP
            cannot say what a lane asks for.
    """
    names = [lane.name for lane in lanes]
    if not names or len(set(names)) != len(names):
        raise FiredampError(f"traffic needs lanes with names of their own, not {names}")
    if not (math.isfinite(timeout) and timeout > 0):
        raise FiredampError(f"a request's timeout is a positive number of seconds, not {timeout:g}")
    decided = tuple(_decided(lane, lane.shape or shape, most_users) for lane in lanes)
    return Plan(target(url), decided, timeout, epoch)


def _decided(lane: Lane, shape: Shape, most_users: int) -> PlannedLane:
    users = lane.users or min(max(math.ceil(shape.peak), 10), most_users)
    planned = PlannedLane(lane.name, lane.host, lane.calls, lane.headers, Pieces(shape.segments), users)
    # For its errors: the load generator's process makes them once more.
    planned.messages()
    return planned
