"""First process of the namespaces in which dockerd runs: prepares them, starts it, and reaps orphans.

Run by the keeper in the folder of that dockerd, as `unshare … python -m kind_host.init PIPE COMMAND…`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

# Where dockerd and its containerd write whatever they are told: /etc/docker/key.json, /opt/containerd.
_SHADOWED = (Path("/etc"), Path("/opt"))


def main() -> NoReturn:
    """Prepare, start the command, and end with it or with the keeper."""
    pipe, *command = sys.argv[1:]
    threading.Thread(target=_end_with_keeper, args=(int(pipe),), daemon=True).start()
    _mounts(Path("shadow").absolute())
    _run("ip", "link", "set", "lo", "up")
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while True:
        pid, status = os.wait()
        if pid == daemon.pid:
            os._exit(os.waitstatus_to_exitcode(status) or 1)


def _end_with_keeper(pipe: int) -> None:
    """End when the keeper does, even if that was before `unshare --kill-child` could see to it."""
    os.read(pipe, 1)
    os._exit(1)


def _mounts(shadow: Path) -> None:
    """Hide the host's /run, and keep in memory what is written to its other folders."""
    shadow.mkdir()
    _run("mount", "-t", "tmpfs", "-o", "mode=0700", "firedamp-shadow", shadow)
    for lower in filter(Path.is_dir, _SHADOWED):
        upper, work = (shadow / f"{lower.name}-{part}" for part in ("upper", "work"))
        upper.mkdir(mode=0o755)
        work.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "-o", options, "firedamp-shadow", lower)
    _run("mount", "-t", "tmpfs", "-o", "mode=0755", "firedamp-run", "/run")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
