"""The plan of a load, which the load generator's process is given: what to send, where and when."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated

from msgspec import Meta

from fixtures.core.clock import Epoch
from fixtures.core.documents.json_text import parse_json
from fixtures.core.errors import FiredampError
from fixtures.core.schema import require_fields, shaped
from fixtures.core.text import quoted
from loadgen.message import Message, to_message
from loadgen.shapes import Constant
from loadgen.target import target

MOST_USERS = 500
# Each client has a connection, which needs a file descriptor; the load generator can have this many.
_MOST_USERS_CHOSEN = 5_000
_LONGEST_NAME = 40
_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{_LONGEST_NAME - 1}}}")
# The names of all streams are in the name of one file, which may have 255 bytes.
_LONGEST_NAMES = 200
_LONGEST_TIMEOUT_S = 300.0
_CALL_HINT = 'such as Call("/orders", method="GET", weight=1.0, headers={}, body=None)'
_STREAM_HINT = 'give each a name of its own: Stream("active", host)'

_PLAN = "the plan of the load"

Weight = Annotated[float, Meta(gt=0, le=1e6)]
Users = Annotated[int, Meta(ge=1, le=_MOST_USERS_CHOSEN)]
Timeout = Annotated[float, Meta(gt=0, le=_LONGEST_TIMEOUT_S)]


@dataclass(frozen=True)
class Call:
    """One kind of request in a stream's mix.

    Attributes:
        path: Path and query. By default, `/`; in a trial, the path at which the app answers.
        method: HTTP method.
        weight: How often, relative to the stream's other calls.
        headers: Headers added to the stream's own.
        body: Body, sent as UTF-8.
    """

    path: str | None = None
    method: str = "GET"
    weight: Weight = 1.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def at(self, path: str) -> Call:
        """Return the same call, with this path if it has none."""
        return self if self.path is not None else replace(self, path=path)

    def __post_init__(self) -> None:
        require_fields(self, "a call", "path", "method", "weight", "headers", "body", hint=_CALL_HINT)
        if self.path is not None and not self.path.startswith("/"):
            raise FiredampError(f"the path {quoted(self.path)} has no slash at its start", hint=_CALL_HINT)


@dataclass(frozen=True)
class Stream:
    """One stream of load, recorded in its own file, with clients and connections of its own.

    Attributes:
        name: Names the stream in records and files: "active".
        host: The Host header, by which the gateway routes.
        calls: The mix of requests.
        headers: Headers of every request.
        shape: Rate and duration of this stream, if they differ from those of the traffic.
        users: The largest number of clients, each with one connection and one request at a time. The default
            is the number of requests in one second, from 10 to 500. When all of them wait for answers,
            requests are late.
    """

    name: str
    host: str
    calls: tuple[Call, ...] = (Call(),)
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: Constant | None = None
    users: Users | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            hint = f"at most {_LONGEST_NAME} lower case letters, digits and dashes"
            raise FiredampError(f"{quoted(self.name)} cannot be a stream's name", hint=hint)
        require_fields(self, f"stream {self.name}", "host", "headers", "users")
        if not self.calls:
            raise FiredampError(
                f"stream {self.name} asks for nothing", hint="give it a Call, or leave calls out"
            )


@dataclass(frozen=True)
class PlannedStream:
    """A stream in which all defaults are replaced by values; see `Stream`."""

    name: str
    host: str
    calls: tuple[Call, ...]
    headers: Mapping[str, str]
    shape: Constant
    users: Users

    def messages(self) -> list[Message]:
        """Return the request of each call.

        Raises:
            FiredampError: A request is not valid HTTP.
        """
        return [
            to_message(call.method, call.path or "/", self.host, {**self.headers, **call.headers}, call.body)
            for call in self.calls
        ]


@dataclass(frozen=True)
class LoadPlan:
    """All that the load generator needs to know about a load.

    Attributes:
        url: `http://ADDRESS:PORT`, of this machine or a private network.
        streams: The streams of load: at least one, with different names.
        timeout: Seconds that a request may take, from connecting to the end of its answer.
        epoch: The start of the run, from which all its processes compute the times of their records.
    """

    url: str
    streams: tuple[PlannedStream, ...]
    timeout: Timeout
    epoch: Epoch

    @property
    def duration(self) -> float:
        """Seconds until the last stream's schedule ends."""
        return max(stream.shape.duration_s for stream in self.streams)

    def to_json(self) -> str:
        """Return the plan as text, to be read by `from_json` in another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LoadPlan:
        """Return the plan that `to_json` wrote.

        Raises:
            FiredampError: It is no such plan.
        """
        return shaped(parse_json(text, _PLAN), cls, _PLAN)


def make_plan(
    url: str,
    streams: tuple[Stream, ...],
    shape: Constant,
    timeout: float,
    *,
    epoch: Epoch,
    most_users: int = MOST_USERS,
    least_users: int = 0,
) -> LoadPlan:
    """Return the plan of a load: check its parts and replace defaults by values.

    Args:
        url: Where to send requests.
        streams: The streams of load.
        shape: Rate and duration of the streams that have none of their own.
        timeout: Seconds that a request may take.
        epoch: The start of the run.
        most_users: The largest number of clients of a stream that does not set its number of users.
        least_users: The number of workers, each of which needs a client for its part of each stream.

    Raises:
        FiredampError: The target is public or not plain HTTP, there are no streams, two streams have the same
            name, or a request is not valid HTTP.
    """
    names = [stream.name for stream in streams]
    if not names or len(set(names)) != len(names):
        raise FiredampError(f"load needs streams with names of their own, not {names}", hint=_STREAM_HINT)
    if len("-".join(names)) > _LONGEST_NAMES:
        message = f"the names of {len(names)} streams have more than {_LONGEST_NAMES} characters together"
        raise FiredampError(message, hint="give them shorter names")
    planned = tuple(_planned(stream, stream.shape or shape, most_users, least_users) for stream in streams)
    plan = LoadPlan(target(url), planned, timeout, epoch)
    require_fields(plan, "the load", "timeout", hint="a number of seconds, such as 10.0")
    return plan


def _planned(stream: Stream, shape: Constant, most_users: int, least_users: int) -> PlannedStream:
    users = max(stream.users or min(max(math.ceil(shape.rate), 10), most_users), least_users)
    calls = tuple(call.at("/") for call in stream.calls)
    planned = PlannedStream(stream.name, stream.host, calls, stream.headers, shape, users)
    # Only to raise errors here; the load generator's process makes the messages again.
    planned.messages()
    return planned
