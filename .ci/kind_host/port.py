"""In place of docker-proxy: has a published port opened on the host's loopback, as long as it runs.

dockerd runs it in its own network namespace as `python port.py SOCKET -proto tcp -host-ip … -host-port …
-container-ip … -container-port …`, and expects on descriptor 3 a 0, or a 1 and a reason: cmd/docker-proxy of
https://github.com/moby/moby. It imports little, because dockerd waits for it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

_STATUS = 3


def main() -> None:
    """Ask the keeper for the port; end when dockerd says so, or when the keeper has ended."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    keeper, *arguments = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(keeper)
        connection.sendall(" ".join(arguments).encode() + b"\n")
        problem = connection.makefile().readline().strip()
        os.write(_STATUS, f"1\n{problem}".encode() if problem else b"0\n")
        os.close(_STATUS)
        if not problem:
            connection.recv(1)


if __name__ == "__main__":
    main()
