"""Where load may go: to this machine or a private network, and never to what others run."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from fixtures.core.errors import FiredampError

# Loopback, RFC 1918, and unique local addresses (RFC 4193). Not `is_private`, which is true of many more: of
# a cloud's metadata service at 169.254.169.254, of broadcasts, and of networks kept for documentation.
_ALLOWED = tuple(
    ipaddress.ip_network(each)
    for each in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def target(url: str) -> str:
    """Return `http://ADDRESS:PORT` of a URL to which load may go.

    Raises:
        FiredampError: It is not plain HTTP to an address and a port, or the address may be somebody else's.
    """
    parts, port = _split(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        hint = "give the address, and the name as the lane's host"
        raise FiredampError(f"load goes to an address, not to the name {host!r}", hint=hint) from error
    if not any(address in network for network in _ALLOWED):
        hint = "use the cluster's own gateway, on loopback (127.0.0.0/8, ::1) or a private network"
        networks = ", ".join(map(str, _ALLOWED[1:4] + _ALLOWED[5:]))
        raise FiredampError(
            f"{host} is neither loopback nor private ({networks}), and Firedamp never loads what others run",
            hint=hint,
        )
    literal = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{literal}:{port}"


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FiredampError(
            f"load goes to http://ADDRESS:PORT, but the URL given has an error: {error}"
        ) from error
    host = parts.hostname or ""
    written = f"[{host}]" if ":" in host else host
    is_plain = parts.netloc.lower() == (written if port is None else f"{written}:{port}")
    has_more = parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme != "http" or not host or not is_plain or has_more or port == 0:
        # Without what stands before an @, which may be a password.
        shown = url.rpartition("@")[2]
        raise FiredampError(f"load goes to http://ADDRESS:PORT with nothing else, not to {shown!r}")
    return parts, port or 80
