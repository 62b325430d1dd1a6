"""Checks where a load is sent: only to this machine or a private network, never to a public address."""

from __future__ import annotations

import ipaddress

from fixtures.core.errors import FiredampError
from fixtures.core.text import quoted
from fixtures.core.urls import http_url

# Loopback, RFC 1918, and unique local addresses (RFC 4193). Python's `is_private` is not used, because it is
# also true of a cloud's metadata service at 169.254.169.254, of broadcasts and of documentation networks.
_ALLOWED = tuple(
    ipaddress.ip_network(each)
    for each in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def target(url: str, what: str = "load") -> str:
    """Return a URL as `http://ADDRESS:PORT`, after a check that load may be sent there.

    Args:
        url: The URL.
        what: The name of the setting that has the URL, for errors: "--gateway-url".

    Raises:
        FiredampError: It is not plain HTTP to an address and a port, or the address is not private.
    """
    parsed = http_url(url, what, schemes=("http",), hint="load goes to http://ADDRESS:PORT")
    host = "127.0.0.1" if parsed.host == "localhost" else parsed.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        hint = "give the address, and the name as the stream's host"
        message = f"{what}: load goes to an address, not to the name {quoted(host)}"
        raise FiredampError(message, hint=hint) from error
    if not any(address in network for network in _ALLOWED):
        hint = "use the cluster's own gateway, on loopback (127.0.0.0/8, ::1) or a private network"
        networks = ", ".join(map(str, _ALLOWED[1:4] + _ALLOWED[5:]))
        why = f"{host} is neither loopback nor private ({networks}), and Firedamp never loads what others run"
        raise FiredampError(f"{what}: {why}", hint=hint)
    literal = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{literal}:{parsed.port}"
