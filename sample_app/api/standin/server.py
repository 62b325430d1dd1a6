"""Reads the description of an app, and serves in its place until SIGTERM."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from typing import cast

from ..draining import Drain, DrainingServer, configured
from ..release import Release
from .app import App, Pod
from .connections import EitherProtocol
from .settings import HASH_VARIABLE, HOST_VARIABLE, NAMESPACE_VARIABLE, POD_VARIABLE, StandIn


def read(text: str) -> StandIn:
    """The description of an app, which `fixtures.apps.standin.plan` has written.

    Exits with 1 if it is not valid JSON of that form.
    """
    try:
        described = json.loads(text)
        missing = StandIn.__required_keys__ - described.keys()
    except (ValueError, AttributeError) as error:
        sys.exit(f"stand-in: the description of the app is not as expected: {error}")
    if missing:
        sys.exit(f"stand-in: the description of the app lacks {', '.join(sorted(missing))}")
    return cast("StandIn", described)


def serve(release: Release, described: StandIn, environment: Mapping[str, str]) -> None:
    """Serve in place of the app until SIGTERM has been received and the drain is over.

    Exits with 1 if this version is one of the payments API only, or if a port cannot be had.
    """
    if release.fault["kind"] == "ledger":
        sys.exit(f"stand-in: version {release.version} needs a ledger, which only the payments API has")
    drain = Drain(described["linger"])
    pod = Pod(
        environment.get(POD_VARIABLE) or socket.gethostname(),
        environment.get(NAMESPACE_VARIABLE, ""),
        environment.get(HASH_VARIABLE, ""),
    )
    app = App(release, described, pod=pod, draining=drain.asked)
    host = environment.get(HOST_VARIABLE, "0.0.0.0")  # noqa: S104 - a pod's only interface
    config = configured(app, host=host, http=EitherProtocol)
    DrainingServer(config, drain).run(sockets=_listeners(release, described, host))


def _listeners(release: Release, described: StandIn, host: str) -> list[socket.socket]:
    closed: set[int] = set()
    if release.fault["kind"] == "neverready":
        # A probe that only connects succeeds wherever somebody listens.
        closed = {
            each["port"]
            for each in described["probes"]
            if each["kind"] == "tcp" and each["use"] == "readiness"
        }
    try:
        return [socket.create_server((host, port)) for port in described["ports"] if port not in closed]
    except OSError as error:
        sys.exit(f"stand-in: a port cannot be listened on: {error}")
