"""The part of CBOR that requests for metrics and their answers need: https://www.rfc-editor.org/rfc/rfc8949

Current AWS clients talk to CloudWatch by Smithy's RPC v2 protocol, which is CBOR over HTTP:
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any


class _Kind(IntEnum):
    """The major types of CBOR."""

    UINT, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG, OTHER = range(8)


_SIMPLE = {20: False, 21: True, 22: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_BREAK = object()
_INDEFINITE = 31


def decode(data: bytes) -> Any:  # noqa: ANN401 - whatever was encoded
    """The value that `data` encodes; tags, such as that of a time, are ignored."""
    value, end = _item(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the value")
    return value


def encode(value: object) -> bytes:
    """Encode a map, list, text, float or number that is not negative."""
    match value:
        case dict():
            return _head(_Kind.MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
        case list():
            return _head(_Kind.LIST, len(value)) + b"".join(map(encode, value))
        case str():
            return _head(_Kind.TEXT, len(value.encode())) + value.encode()
        case float():
            return bytes([_Kind.OTHER << 5 | 27]) + struct.pack(">d", value)
        case int():
            return _head(_Kind.UINT, value)
        case _:
            raise TypeError(f"not to be encoded: {value!r}")


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    return bytes([kind << 5 | 27]) + struct.pack(">Q", number)


def _item(data: bytes, at: int) -> tuple[Any, int]:
    kind, low = data[at] >> 5, data[at] & 31
    at += 1
    if kind == _Kind.OTHER:
        return _other(data, at, low)
    number, at = _number(data, at, low)
    match kind:
        case _Kind.LIST:
            return _items(data, at, number)
        case _Kind.MAP:
            flat, at = _items(data, at, None if number is None else 2 * number)
            return dict(zip(flat[::2], flat[1::2], strict=True)), at
        case _Kind.TAG:
            return _item(data, at)
    if number is None:
        raise ValueError("only lists and maps may come without their length")
    if kind in {_Kind.BYTES, _Kind.TEXT}:
        part = data[at : at + number]
        return (part.decode() if kind == _Kind.TEXT else part), at + number
    return (number if kind == _Kind.UINT else -1 - number), at


def _other(data: bytes, at: int, low: int) -> tuple[Any, int]:
    if low in _FLOATS:
        size = struct.calcsize(_FLOATS[low])
        return struct.unpack(_FLOATS[low], data[at : at + size])[0], at + size
    return (_BREAK if low == _INDEFINITE else _SIMPLE[low]), at


def _number(data: bytes, at: int, low: int) -> tuple[int | None, int]:
    """The argument of an item's head, or None for an indefinite length; and the position after it."""
    if low < 24:
        return low, at
    if low == _INDEFINITE:
        return None, at
    size = 1 << (low - 24)
    return int.from_bytes(data[at : at + size]), at + size


def _items(data: bytes, at: int, count: int | None) -> tuple[list[Any], int]:
    items: list[Any] = []
    while count is None or len(items) < count:
        value, at = _item(data, at)
        if value is _BREAK:
            break
        items.append(value)
    return items, at
