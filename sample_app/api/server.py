"""Serves the payments API as the environment says."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from .app import build
from .draining import Drain, DrainingServer, configured
from .release import Release


@dataclass(frozen=True)
class Settings:
    """What the environment may set.

    Attributes:
        host: Address to listen on (HOST).
        port: Port to listen on (PORT).
        pod: What `x-pod` says (POD_NAME, from the downward API; else the host's name).
        linger: Seconds from SIGTERM to the closed port (LINGER_SECONDS). Endpoints and
            proxies need this long to stop sending here.
    """

    host: str
    port: int
    pod: str
    linger: float

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables."""
        return cls(
            host=environment.get("HOST", "0.0.0.0"),  # noqa: S104 - a pod's only interface
            port=int(environment.get("PORT", "8080")),
            pod=environment.get("POD_NAME") or socket.gethostname(),
            linger=float(environment.get("LINGER_SECONDS", "3")),
        )


def serve(release: Release, settings: Settings) -> None:
    """Serve `release` until SIGTERM has been received and the drain is over."""
    drain = Drain(settings.linger)
    app = build(release, pod=settings.pod, draining=drain.asked)
    DrainingServer(configured(app, host=settings.host, port=settings.port), drain).run()
