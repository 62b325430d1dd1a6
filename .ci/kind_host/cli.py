"""Run a command with Docker: the one that is here, or else one for this command alone.

That one is Debian's, with an image for nodes of kind in it: the command finds both by the environment
variables DOCKER_HOST and FIREDAMP_KIND_IMAGE. It is gone when the command ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from fixtures.core.errors import FiredampError
from fixtures.core.process import die_with_parent
from fixtures.core.progress import Phases
from kind_host.host import docker_answers, own_docker

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Return the exit code of the command, or 2 if it was not run."""
    parser = argparse.ArgumentParser(
        prog=".ci/docker", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--optional", action="store_true", help="where there can be none, run it without")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    options = parser.parse_args()
    environment = dict(os.environ)
    phases = Phases()
    if docker_answers():
        phases.note("Docker is here and answers")
        return _run(options.command, environment)
    # So that the keeper, which is no part of an installed package, is found.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    with ExitStack() as stack:
        try:
            environment |= stack.enter_context(own_docker(phases))
        except FiredampError as error:
            print(f"no Docker answers, and none can be started: {error}", file=sys.stderr)
            if not options.optional:
                return 2
        return _run(options.command, environment)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run it in the foreground and return its exit code as a shell would.

    A signal that would end this process ends the command instead; if this process is killed, the command
    is told to end.
    """
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it takes no lock
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    for number in _FORWARDED:
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    code = process.wait()
    return code if code >= 0 else 128 - code
