"""Pushes to a config repository just before a CI job does, so that the job has to start again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.gitops.repository import ConfigRepository

# A stand-in for kustomize. Before an edit it says so and waits. At that time the job has looked at the
# branch, and has not pushed yet.
_KUSTOMIZE = """#!/bin/sh
if [ "$1" = edit ]; then
  echo editing >"{request}"
  read -r _ <"{done}"
fi
exec "{kustomize}" "$@"
"""


@contextmanager
def rival(repository: ConfigRepository, kustomize: Path, folder: Path, *, pushes: int) -> Iterator[Path]:
    """Push to `repository` while the job edits its clone, the first `pushes` times; yield a folder of tools.

    Args:
        repository: Where to push.
        kustomize: The program that the stand-in runs.
        folder: The folder of tools, which has to come first in the job's PATH; empty or absent.
        pushes: How often to push.
    """
    request, done = folder / "asked", folder / "done"
    folder.mkdir()
    for path in (request, done):
        os.mkfifo(path)
    tool = folder / "kustomize"
    tool.write_text(_KUSTOMIZE.format(request=request, done=done, kustomize=kustomize))
    tool.chmod(0o700)
    errors: list[BaseException] = []

    def serve() -> None:
        number = 0
        while request.read_text() == "editing\n":
            try:
                if (number := number + 1) <= pushes:
                    repository.commit(files={f"rival-{number}": "mine\n"}, message=f"rival {number}")
            except BaseException as error:  # noqa: BLE001 - raised below; the job must not hang meanwhile
                errors.append(error)
            done.write_text("go on\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield folder
    finally:
        request.write_text("end\n")
        thread.join(10)
    if errors:
        raise errors[0]
