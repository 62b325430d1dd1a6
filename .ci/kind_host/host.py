"""A Docker with the node image in it, for as long as one command runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fixtures.artifacts.builder import Builder
from fixtures.core.errors import FiredampError
from fixtures.core.process import CommandError, run
from fixtures.core.progress import Phases
from fixtures.providers import checks as doctor
from fixtures.supervisor.client import Keeper
from fixtures.supervisor.folder import ClusterFolder
from kind_host import folders, node_image, programs

_ANSWER_SECONDS = 20
_LOAD_SECONDS = 300


def docker_answers() -> bool:
    """Whether there is a Docker already that this user can use."""
    try:
        run(["docker", "info"], timeout=_ANSWER_SECONDS)
    except CommandError:
        return False
    return True


@contextmanager
def own_docker(phases: Phases) -> Iterator[Mapping[str, str]]:
    """Start a Docker with the node image in it, and remove every trace of it in the end.

    Yields:
        The environment variables by which commands find both.

    Raises:
        FiredampError: It cannot be had on this machine; nothing is left of the attempt.
    """
    _require_possible()
    folder = folders.choose()
    builder = Builder(phases=phases)
    image = node_image.node_image(builder)
    found = programs.docker_programs(builder.cache)
    variables = {
        "DOCKER_HOST": f"unix://{folders.docker_socket(folder)}",
        "PATH": f"{programs.client_folder(found)}:{os.environ['PATH']}",
        "FIREDAMP_KIND_IMAGE": node_image.name(),
    }
    keeper = Keeper("kind_host.keeper", ClusterFolder(folder))
    try:
        with phases.phase("Docker"):
            keeper.start({"programs": str(found)})
        with phases.phase("node image"):
            run(["docker", "load", "--input", image], env=variables, timeout=_LOAD_SECONDS)
        yield variables
    finally:
        keeper.end()
        if folder.exists():
            phases.note(f"not all of this Docker could be removed; {folder}/keeper.log says why")


def _require_possible() -> None:
    """Refuse before a build of minutes begins; what the embedded node needs of a machine, dockerd needs."""
    failed = [check for check in doctor.check_native(node_image.NEEDS) if not check.ok]
    if failed:
        found = ", ".join(f"{check.name}: {check.found}" for check in failed)
        raise FiredampError(found, hint=", ".join(check.hint for check in failed))
