"""Faults in the controller: built from a copy of its module in which each of them can be switched on."""

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
from fixtures.artifacts.cache import Cache, digest
from fixtures.artifacts.oci.image import write_archive
from fixtures.artifacts.recipes import ARCHIVE
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.kube.provider import load_images

_COMPONENT = "rollouts"
# What the controller reads: the name of the one fault that is on.
_VARIABLE = "FIREDAMP_FAULT"
_TAG = "faults"
# In each package that has an edit: planted("name") in an edit asks whether that fault is on.
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
        old: What stands there exactly once.
        new: What stands there instead, and asks `planted("NAME")` before it does otherwise.
    """

    file: str
    old: str
    new: str


class StaleEditError(Exception):
    """An edit does not fit the controller's pinned sources."""


def changed_files(edits: Sequence[Edit], sources: Path) -> dict[str, str]:
    """The files that differ, by their path in the module.

    Raises:
        StaleEditError: What an edit replaces is not there, or more than once.
    """
    changed: dict[str, str] = {}
    for edit in edits:
        text = changed.get(edit.file) or (sources / edit.file).read_text()
        if (times := text.count(edit.old)) != 1:
            raise StaleEditError(f"{edit.file} has {times} times, not once:\n{edit.old}")
        changed[edit.file] = text.replace(edit.old, edit.new)
    for folder in {str(Path(edit.file).parent) for edit in edits}:
        switch = _SWITCH.format(package=Path(folder).name, variable=_VARIABLE)
        changed[f"{folder}/firedamp_faults.go"] = switch
    return changed


def build(edits: Sequence[Edit]) -> Path:
    """Build the controller with all edits and return the archive of its image, from the cache if it is there.

    Raises:
        StaleEditError: An edit does not fit.
        FiredampError: The build failed.
    """
    recipes = all_recipes()
    component = recipes.pins[_COMPONENT]
    sources = golang.module_folder(component)
    files = changed_files(edits, sources)

    def make(target: Path) -> None:
        # Go refuses an overlay of its module cache.
        copy = target / "sources"
        _copy(sources, copy)
        for path, text in files.items():
            (copy / path).write_text(text)
        golang.build(component, target, sources=copy)
        shutil.rmtree(copy)
        write_archive([image(_TAG, controller=target / "rollouts-controller")], target / ARCHIVE)

    content = digest(recipes.key(_COMPONENT), json.dumps(files), Path(__file__))
    return Cache().get("rollouts-with-faults", content, make) / ARCHIVE


def plant(environment: Environment, archive: Path, fault: str) -> None:
    """Have a cluster run the controller in the archive, with one fault switched on, or "" for none.

    Raises:
        FiredampError: It does not come up.
    """
    environment.stack.upgrade(
        environment.kube,
        _COMPONENT,
        change=partial(_switch, fault=fault),
        images=partial(load_images, environment.cluster, archive),
    )


def _copy(sources: Path, target: Path) -> None:
    """Copy a module out of Go's cache, where all is read-only."""
    for path in sources.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(sources)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _switch(objects: list[Object], *, fault: str) -> None:
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            container["image"] = f"{REPOSITORY}:{_TAG}"
            container["env"] = [*container.get("env", []), {"name": _VARIABLE, "value": fault}]
