"""Builds and runs Argo Rollouts with faults that can be switched on, from a changed copy of its module."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fixtures.addons.components import all_recipes
from fixtures.addons.rollouts.image import REPOSITORY, image
from fixtures.artifacts import golang
from fixtures.artifacts.cache import Cache
from fixtures.artifacts.keys import digest
from fixtures.artifacts.oci.image import write_archive
from fixtures.artifacts.recipes import ARCHIVE
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.kube.provider import load_images

_COMPONENT = "rollouts"
# The environment variable of the controller that names the one fault that is switched on.
_VARIABLE = "FIREDAMP_FAULT"
_TAG = "faults"
# A file for each package that has an edit. An edit calls planted("name") to ask whether that fault is on.
_SWITCH = """\
package {package}

import "os"

func planted(fault string) bool {{ return os.Getenv("{variable}") == fault }}
"""


@dataclass(frozen=True)
class Edit:
    """A change of one source file.

    Attributes:
        file: Its path in the controller's module.
        old: The text to replace, which must occur exactly once.
        new: The text in its place, which behaves differently only if `planted("NAME")`.
    """

    file: str
    old: str
    new: str


class StaleEditError(Exception):
    """An edit does not fit the controller's pinned sources."""


def changed_files(edits: Sequence[Edit], sources: Path) -> dict[str, str]:
    """The changed and added files: their text by their path in the module.

    Raises:
        StaleEditError: The text that an edit replaces is missing, or occurs more than once.
    """
    changed: dict[str, str] = {}
    for edit in edits:
        text = changed.get(edit.file) or (sources / edit.file).read_text()
        if (times := text.count(edit.old)) != 1:
            raise StaleEditError(f"{edit.file} has {times} times, not once:\n{edit.old}")
        changed[edit.file] = text.replace(edit.old, edit.new)
    # In an order that is the same in each process, because the cache key is made of what this returns.
    for folder in sorted({str(Path(edit.file).parent) for edit in edits}):
        switch = _SWITCH.format(package=Path(folder).name, variable=_VARIABLE)
        changed[f"{folder}/firedamp_faults.go"] = switch
    return changed


def build(edits: Sequence[Edit]) -> Path:
    """Build the controller with all edits, unless the cache has it, and return the archive of its image.

    Raises:
        StaleEditError: An edit does not fit.
        FiredampError: The build failed.
    """
    recipes = all_recipes()
    component = recipes.pins[_COMPONENT]
    sources = golang.module_folder(component)
    files = changed_files(edits, sources)

    def make(target: Path) -> None:
        # A copy, because Go refuses an overlay (-overlay) of files in its module cache.
        copy = target / "sources"
        copy_module(sources, copy)
        for path, text in files.items():
            (copy / path).write_text(text)
        golang.build(component, target, sources=copy)
        shutil.rmtree(copy)
        write_archive([image(_TAG, controller=target / "rollouts-controller")], target / ARCHIVE)

    content = digest(recipes.key(_COMPONENT), json.dumps(files), Path(__file__))
    return Cache().get("rollouts-with-faults", content, make) / ARCHIVE


def plant(
    environment: Environment, archive: Path, fault: str, *, tag: str = _TAG, variable: str = _VARIABLE
) -> None:
    """Have a cluster run the controller in the archive, with one fault switched on, or "" for none.

    Args:
        environment: The cluster.
        archive: The archive of the controller's image.
        fault: The name of the fault.
        tag: The tag of that image.
        variable: The environment variable in which the controller reads the name.

    Raises:
        FiredampError: The controller does not become ready.
    """
    environment.stack.upgrade(
        environment.kube,
        _COMPONENT,
        change=partial(_switch, tag=tag, variable={"name": variable, "value": fault}),
        images=partial(load_images, environment.cluster, archive),
    )


def copy_module(sources: Path, target: Path) -> None:
    """Copy a module out of Go's cache, where all files are read-only."""
    for path in sources.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(sources)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _switch(objects: list[Object], *, tag: str, variable: Object) -> None:
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            container["image"] = f"{REPOSITORY}:{tag}"
            container["env"] = [*container.get("env", []), variable]
