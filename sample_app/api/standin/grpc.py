"""The few messages of gRPC that a stand-in needs: an empty answer, and those of the health check.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
OK, INTERNAL = 0, 13
SERVING, NOT_SERVING = 1, 2

_PREFIX = 5
# The tag of field 1 in a message: of text in the request, of a number in the answer.
_TEXT_1, _NUMBER_1 = 0x0A, 0x08
EMPTY = bytes(_PREFIX)
"""A message without content."""


def health(status: int) -> bytes:
    """The answer to a health check."""
    return bytes([0, 0, 0, 0, 2, _NUMBER_1, status])


def service_in(body: bytes) -> str:
    """The service whose health is asked; "" for the whole server."""
    message = body[_PREFIX:]
    # A name of 128 bytes or more has a length of two bytes, and is no name of a service.
    if len(message) < 2 or message[0] != _TEXT_1:
        return ""
    return message[2 : 2 + message[1]].decode("utf-8", "replace")
