"""The entry point: find out which version this is, then serve it."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .release import NotBootableError, Release, require_environment
from .standin import VARIABLE

VERSION_FILE = Path(__file__).parent.parent / "version.json"


def main() -> None:
    """Serve until SIGTERM; exit code 0 after a drain, 1 when this version cannot boot."""
    # The kernel ignores SIGTERM for the first process of a container until it has
    # a handler, so that a pod deleted at boot would sit out its whole grace period.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        release = Release.read(VERSION_FILE)
        require_environment(release, os.environ)
    except NotBootableError as error:
        sys.exit(f"payments: {error}")

    # What is imported stays until the end. To have it looked through for garbage, by the imports
    # and above all at the exit, takes a fifth of the processor time of a pod that only starts and ends.
    # https://docs.python.org/3/library/gc.html#gc.freeze
    gc.disable()
    serve = _server(release)
    gc.freeze()
    gc.enable()
    serve()


def _server(release: Release) -> Callable[[], None]:
    """What serves this version: the stand-in of another app if the environment describes one."""
    # Imported here, because a version that cannot boot is started again and again.
    if described := os.environ.get(VARIABLE):
        from .standin import server as standin  # noqa: PLC0415

        return partial(standin.serve, release, standin.read(described), os.environ)
    from .server import Settings, serve  # noqa: PLC0415

    return partial(serve, release, Settings.of(os.environ))


if __name__ == "__main__":
    main()
