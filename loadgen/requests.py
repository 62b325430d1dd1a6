"""Keeps requests in columns (NumPy arrays): a million need some 70 MB, and queries run on all at once.

There is one column for each field of `Request`. A column of numbers holds the numbers themselves. Any other
column holds the index of each value in a table of the values that occur. A `Request` object is made only when
one is asked for.
"""

from __future__ import annotations

import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from fixtures.core.record import parse_records
from loadgen.flags import made_by_proxy
from loadgen.records import Request

Numbers = NDArray[np.float64]
Statuses = NDArray[np.int16]
Mask = NDArray[np.bool_]

_FIELDS = Request.__struct_fields__
# The fields that are left out of a line if they are null.
_OPTIONAL = tuple(field.name for field in msgspec.structs.fields(Request) if not field.required)
# The type of the column of each field that is a number; it follows from the type of the field in `Request`.
_NUMBERS = {
    field.name: np.float64 if isinstance(field.type, msgspec.inspect.FloatType) else np.int16
    for field in msgspec.inspect.type_info(Request).fields  # type: ignore[attr-defined] # of a StructType
    if isinstance(field.type, msgspec.inspect.FloatType | msgspec.inspect.IntType)
}
# How much of a file is read in one step: much, but so little that its records fit into a processor's cache.
_BLOCK_BYTES = 500_000
_decoder = msgspec.json.Decoder(Request)


class _Values(dict[Hashable, int]):
    """The values that occur in a column, each with its index; a new value gets the next index."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = number = len(self)
        return number


_Tables = Mapping[str, _Values]
_Columns = dict[str, NDArray[np.generic]]
Texts = tuple[Sequence[str | None], NDArray[np.integer]]
"""A column of texts: the values that occur, and for each request the index of its value."""


class Requests(Sequence[Request]):
    """Requests, ordered by the time at which they were sent; immutable.

    Example:
        active = requests.stream("active").between(since, until)
        share = Share(len(active.of_version("1.1")), len(active.answered))
    """

    def __init__(self, columns: _Columns, tables: _Tables, places: NDArray[np.intp] | None = None) -> None:
        """Take rows of columns that are ordered by `t`. Code outside of this module calls `Requests.of`.

        Args:
            columns: The column of each field; all have the same length.
            tables: The table of values of each column that does not hold numbers.
            places: The indexes of the rows to take, ascending; None for all rows.
        """
        self._all = columns
        self._tables = tables
        self._places = places
        self._columns = columns if places is None else _Columns()

    @classmethod
    def of(cls, requests: Iterable[Request]) -> Requests:
        """Return requests, which may come in any order, as `Requests`; `Requests` are returned unchanged."""
        if isinstance(requests, Requests):
            return requests
        collected = _Collected()
        collected.add(collected.parts(list(requests)))
        return collected.sorted()

    def __len__(self) -> int:
        return len(self._all["t"] if self._places is None else self._places)

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> Requests: ...
    def __getitem__(self, index: int | slice) -> Request | Requests:
        if isinstance(index, slice):
            return self._part(index)
        place = range(len(self))[index]
        return next(iter(self._part(slice(place, place + 1))))

    def __iter__(self) -> Iterator[Request]:
        for begin in range(0, len(self), 10_000):
            part = slice(begin, begin + 10_000)
            columns = [self._listed(name, part) for name in _FIELDS]
            for row in zip(*columns, strict=True):
                yield Request(**dict(zip(_FIELDS, row, strict=True)))

    @property
    def t(self) -> Numbers:
        """When each request was sent, in Unix seconds, ascending."""
        return self._numbers("t")

    @property
    def intended(self) -> Numbers:
        """When each request should be sent by the schedule, in Unix seconds."""
        return self._numbers("intended")

    @property
    def received(self) -> Numbers:
        """When the answer to each request was complete or the client gave up, in Unix seconds."""
        return self._numbers("received")

    @property
    def latency_ms(self) -> Numbers:
        """The time from the intended send time of each request to its answer, in milliseconds."""
        return self._numbers("latency_ms")

    @property
    def status(self) -> Statuses:
        """The HTTP status of each request; 0 without an answer."""
        return self._column("status")  # type: ignore[return-value] # of this type, by `_NUMBERS`

    @property
    def failed(self) -> Mask:
        """Which requests failed, in the sense of `Request.failed`."""
        return ~self.having("error", None) | (self.status < 200) | (self.status >= 400)

    @property
    def first(self) -> float | None:
        """When the first request was sent or due, in Unix seconds; None if there is none."""
        return float(np.minimum(self.t, self.intended).min()) if len(self) else None

    @property
    def last(self) -> float | None:
        """When the last answer was complete or its client gave up, in Unix seconds; None if there is none."""
        return float(self.received.max()) if len(self) else None

    @property
    def answered(self) -> Requests:
        """The requests that were answered by a version that is known."""
        return self.where(~self.having("version", None))

    @property
    def by_proxy(self) -> Mask:
        """Which answers the gateway made itself, in the sense of `Request.is_by_proxy`."""
        by_flags = self.scores("flags", lambda flags: flags is not None and made_by_proxy(flags)) > 0
        return by_flags | (~self.having("flags", None) & self.having("upstream", None))

    @property
    def untold(self) -> Mask:
        """For which requests the gateway does not tell who answered; see `Request.upstream` and `flags`."""
        return self.having("upstream", None) & self.having("flags", None)

    @property
    def unattributed(self) -> Requests:
        """The requests that a pod answered of which it is not known which pod it was."""
        from_upstream = ~self.having("upstream", None)
        return self.where(from_upstream & self.having("version", None) & ~self.by_proxy)

    @property
    def claimed_only(self) -> Requests:
        """The requests whose version only the app's own header tells, because the gateway does not."""
        return self.where(self.untold & ~self.having("version", None))

    def having(self, field: str, value: Hashable) -> Mask:
        """Return which requests have this value in a field that does not hold numbers."""
        number = self._tables[field].get(value, -1)
        return np.asarray(self._column(field) == number)

    def where(self, mask: Mask) -> Requests:
        """Return the requests for which the mask is true."""
        places = np.flatnonzero(mask)
        if len(places) == len(self):
            return self
        return Requests(self._all, self._tables, places if self._places is None else self._places[places])

    def stream(self, name: str) -> Requests:
        """Return the requests of one stream of load."""
        return self.where(self.having("stream", name))

    def of_streams(self, names: Collection[str]) -> Requests:
        """Return the requests of these streams of load."""
        if self.counts("stream").keys() <= set(names):
            return self
        return self.where(self.scores("stream", lambda name: name in names) > 0)

    def of_version(self, version: str) -> Requests:
        """Return the requests that this version answered."""
        return self.where(self.having("version", version))

    def between(self, since: float, until: float = math.inf) -> Requests:
        """Return the requests that were sent from `since` on and before `until`, both in Unix seconds."""
        begin, end = np.searchsorted(self.t, (since, until))
        return self._part(slice(int(begin), int(end)))

    def counts(self, field: str) -> Counter[str | None]:
        """Return how often each value of a text field occurs, the most frequent first."""
        numbers = np.bincount(self._column(field).astype(np.intp), minlength=len(self._tables[field]))
        values = zip(self._tables[field], numbers.tolist(), strict=True)
        counter = Counter({str(v) if v is not None else None: n for v, n in values if n})
        return Counter(dict(counter.most_common()))

    def scores(self, field: str, score: Callable[[str | None], float]) -> Numbers:
        """Return the result of a function for each request, which is given its value in a text field."""
        table = [score(None if value is None else str(value)) for value in self._tables[field]]
        return np.asarray([*table, 0.0])[self._column(field).astype(np.intp)]

    def texts(self, field: str) -> Texts:
        """Return the values of a text field, and for each request the index of its value."""
        values = [None if value is None else str(value) for value in self._tables[field]]
        return values, self._column(field).astype(np.intp)

    def replaced(self, **fields: Texts) -> Requests:
        """Return the same requests with other values in some text fields; each value may occur once only."""
        columns, tables = {name: self._column(name) for name in _FIELDS}, dict(self._tables)
        for name, (values, places) in fields.items():
            tables[name] = _Values(zip(values, range(len(values)), strict=True))
            columns[name] = places.astype(np.min_scalar_type(len(values)))
        return Requests(columns, tables)

    def with_texts(self, change: Callable[[str], str]) -> Requests:
        """Return the same requests, with each text replaced by the result of a function."""
        columns = {name: self._column(name) for name in _FIELDS}
        tables = dict[str, _Values]()
        for name, table in self._tables.items():
            tables[name] = _Values()
            numbers = [tables[name][change(value) if isinstance(value, str) else value] for value in table]
            columns[name] = np.array([*numbers, 0], np.int32)[self._column(name).astype(np.intp)]
        return Requests(columns, tables)

    def _numbers(self, field: str) -> Numbers:
        return self._column(field)  # type: ignore[return-value] # of this type, by `_NUMBERS`

    def _listed(self, name: str, part: slice) -> list[object]:
        numbers: list[int] = self._column(name)[part].tolist()
        if name in _NUMBERS:
            return list(numbers)
        values = list(self._tables[name])
        return [values[number] for number in numbers]

    def _part(self, part: slice) -> Requests:
        if self._places is not None:
            return Requests(self._all, self._tables, self._places[part])
        return Requests({name: column[part] for name, column in self._all.items()}, self._tables)

    def _column(self, field: str) -> NDArray[np.generic]:
        """The column of a field, taken from all rows when it is first asked for."""
        if field not in self._columns:
            self._columns[field] = self._all[field][self._places]
        return self._columns[field]


class RequestLog:
    """Reads files of requests while they grow; each call reads only what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # How far each file was read, by device and inode, because one file may be given by different paths.
        self._ends: dict[tuple[int, int], int] = {}
        self._collected = _Collected()
        self._latest = self._collected.sorted()

    def read(self, paths: Iterable[Path]) -> Requests:
        """Return all requests in these files and in those read by earlier calls, ordered by the time sent.

        An incomplete last line is left for the next call.

        Raises:
            CorruptRecordError: A complete line is not a request.
            FileNotFoundError: A file does not exist.
        """
        with self._lock:
            for path in paths:
                self._read(path)
            if self._collected.is_new:
                self._latest = self._collected.sorted()
            return self._latest

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            identity = status.st_dev, status.st_ino
            end = self._ends.get(identity, 0)
            file.seek(end)
            while (block := file.read(_BLOCK_BYTES) + file.readline()).endswith(b"\n"):
                self._take(block, path, end)
                end += len(block)
                self._ends[identity] = end
            if whole := block[: block.rfind(b"\n") + 1]:
                self._take(whole, path, end)
                self._ends[identity] = end + len(whole)

    def _take(self, data: bytes, path: Path, offset: int) -> None:
        """Add the requests on the complete lines `data`, which were read from byte `offset` of a file."""
        try:
            rows = _decoder.decode_lines(data)
        except (msgspec.DecodeError, RecursionError):
            rows = []
        parts = self._collected.parts(rows)
        if len(rows) != data.count(b"\n") or not _has_only_known_fields(data, parts, len(rows)):
            # This is slower, but its error says what is wrong, and where.
            parts = self._collected.parts(list(parse_records(data, path, Request, offset=offset)))
        self._collected.add(parts)


def read_requests(*paths: Path) -> Requests:
    """Return all requests in these files, ordered by the time sent; an incomplete last line is left out.

    Raises:
        CorruptRecordError: A complete line is not a request.
        FileNotFoundError: A file does not exist.
    """
    return RequestLog().read(paths)


class _Parts(NamedTuple):
    """A part of each column.

    Attributes:
        columns: The values of some requests, by field.
        optional_values: How many fields that may be left out have a value, in all of these requests together.
    """

    columns: _Columns
    optional_values: int


class _Collected:
    """Collects requests while files are read: parts of columns, which `sorted` puts together."""

    def __init__(self) -> None:
        self._tables: dict[str, _Values] = {name: _Values() for name in _FIELDS if name not in _NUMBERS}
        self._parts: dict[str, list[NDArray[np.generic]]] = {name: [] for name in _FIELDS}
        self.is_new = True

    def parts(self, rows: Sequence[Request]) -> _Parts:
        """Return a part of each column, with the values of these requests, for `add`."""
        columns, optional_values = _Columns(), 0
        for name in _FIELDS:
            values = list(map(attrgetter(name), rows))
            if name in _NUMBERS:
                columns[name] = np.array(values, _NUMBERS[name])
                continue
            table, nulls = self._tables[name], values.count(None)
            if nulls == len(rows):  # as in most blocks of most fields that may be null
                columns[name] = np.full(len(rows), table[None], np.int32)
            else:
                columns[name] = np.fromiter(map(table.__getitem__, values), np.int32, len(rows))
            optional_values += len(rows) - nulls if name in _OPTIONAL else 0
        return _Parts(columns, optional_values)

    def add(self, parts: _Parts) -> None:
        """Add requests, in any order."""
        if not len(parts.columns["t"]):
            return
        self.is_new = True
        for name, column in parts.columns.items():
            self._parts[name].append(column)

    def sorted(self) -> Requests:
        """Return all requests that were added, ordered by the time sent."""
        columns: _Columns = {}
        order: NDArray[np.intp] | None = None
        for name in _FIELDS:  # The first is `t`.
            # Most tables are small, so that one byte for each request is enough.
            dtype = _NUMBERS.get(name) or np.min_scalar_type(len(self._tables[name]))
            column = np.concatenate([np.empty(0, dtype), *self._parts[name]], dtype=dtype, casting="unsafe")
            if name == "t" and np.any(column[1:] < column[:-1]):
                order = np.argsort(column, kind="stable")
            columns[name] = column if order is None else column[order]
            self._parts[name] = [columns[name]]
        self.is_new = False
        return Requests(columns, self._tables)


def _has_only_known_fields(data: bytes, parts: _Parts, lines: int) -> bool:
    """Whether each line of `data` has the fields of a request and no others, and none of them twice.

    The number of names shows that. A field that may be left out can also be given as null, as versions of
    Firedamp did that had no such fields; these are counted only if there must be some.
    """
    characters = np.frombuffer(data, np.uint8)
    # Four times as fast as `data.count(b'":')`.
    names = int(np.count_nonzero((characters[:-1] == ord('"')) & (characters[1:] == ord(":"))))
    names -= lines * (len(_FIELDS) - len(_OPTIONAL) + 1) + parts.optional_values
    return names == 0 or names == sum(data.count(f'"{name}":null'.encode()) for name in _OPTIONAL)
