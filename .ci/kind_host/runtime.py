"""An OCI runtime for machines without CAP_SYS_RESOURCE: runc, with a configuration that does not ask for it.

dockerd runs it as `python runtime.py RUNC ARGUMENTS…`. A privileged container is given every
capability that the kernel knows, which runc refuses to do where one of them cannot be had; neither may
resource limits be raised nor processes be protected from the out-of-memory killer there.
https://github.com/opencontainers/runtime-spec/blob/main/config.md#linux-process
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

_MISSING = "CAP_SYS_RESOURCE"


def main() -> NoReturn:
    """Change what a container or a process in it is started with, and become runc."""
    runc, *arguments = sys.argv[1:]
    if "create" in arguments or "run" in arguments:
        path = Path(_option(arguments, "--bundle", "-b") or ".") / "config.json"
        document = json.loads(path.read_text())
        relax(document["process"])
        path.write_text(json.dumps(document))
    elif "exec" in arguments and (name := _option(arguments, "--process", "-p")):
        path = Path(name)
        process = json.loads(path.read_text())
        relax(process)
        path.write_text(json.dumps(process))
    os.execv(runc, [runc, *arguments])  # noqa: S606 - no shell is wanted


def relax(process: dict[str, Any]) -> None:
    """Take out of a process what cannot be granted without CAP_SYS_RESOURCE."""
    for granted in (process.get("capabilities") or {}).values():
        if _MISSING in (granted or []):
            granted.remove(_MISSING)
    if (process.get("oomScoreAdj") or 0) < 0:
        process["oomScoreAdj"] = 0
    process.pop("rlimits", None)


def _option(arguments: list[str], *names: str) -> str | None:
    """The value of an option, in either of its forms: `--bundle X`, `--bundle=X`."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else arguments[place + 1]
    return None


if __name__ == "__main__":
    main()
