"""Builds Argo Rollouts with coverage and all generated mutants, none of which is switched on."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from e2e.mutations.controller import copy_module
from fixtures.addons.components import all_recipes
from fixtures.addons.rollouts.image import image
from fixtures.artifacts import golang
from fixtures.artifacts.cache import Cache
from fixtures.artifacts.keys import digest
from fixtures.artifacts.oci.image import write_archive
from fixtures.artifacts.pins import Pin
from fixtures.artifacts.recipes import ARCHIVE
from fixtures.core.errors import FiredampError
from fixtures.core.process import CommandError

PORT = 8100
"""Where the controller tells which mutants were reached, and which lines were covered."""
TAG = "mutants"
VARIABLE = "FIREDAMP_MUTANT"
PACKAGES = (
    "analysis",
    "experiments",
    "rollout",
    "rollout/steps/plugin",
    "rollout/trafficrouting",
    "rollout/trafficrouting/istio",
    "utils/analysis",
    "utils/conditions",
    "utils/evaluate",
    "utils/experiment",
    "utils/istio",
    "utils/replicaset",
    "utils/rollout",
    "utils/service",
    "utils/weightutil",
)
"""Where mutants are: what decides about releases. Other routers, providers and the dashboard are left out."""
_COMPONENT = "rollouts"
_HERE = Path(__file__).parent
_GENERATOR, _SWITCH = _HERE / "generator" / "main.go", _HERE / "switch.go.txt"
_FOLDER = "firedamp/mutants"
_LIST = "mutants.json"
_GENERATE_SECONDS = 300
# Each round of the compiler names what it refuses, package after package in the order of their imports.
_ROUNDS = 12
_REFUSED = re.compile(
    r"^(?:\S*/)?(?P<file>(?:rollout|analysis|experiments|utils)/\S+\.go):(?P<line>\d+):", re.MULTILINE
)


class Mutant(msgspec.Struct, frozen=True):
    """A change of the controller's sources that is made by a rule, wherever the rule applies.

    Attributes:
        id: Its number, which is the same as long as generator and sources are.
        file: The path of its file in the controller's module.
        line: Its line there.
        function: The function that it is in.
        kind: The rule: "condition negated", "call dropped" and so on.
        original: The source that is changed.
    """

    id: int
    file: str
    line: int
    function: str
    kind: str
    original: str

    @property
    def place(self) -> str:
        """File, line and function: "rollout/pause.go:139, completedPrePromotionAnalysis"."""
        return f"{self.file}:{self.line}, {self.function}"

    @property
    def called(self) -> tuple[str, str, str]:
        """What records call it; see `MutantRecord.mutant`."""
        return self.place, self.kind, self.original


@dataclass(frozen=True)
class Built:
    """A controller with mutants.

    Attributes:
        archive: The archive of its image.
        mutants: All its mutants, by number.
    """

    archive: Path
    mutants: dict[int, Mutant]


def build() -> Built:
    """Build the controller, unless the cache has it.

    What the compiler refuses, as a number of another type, is left out: what does not compile is no mutant.

    Raises:
        FiredampError: It could not be built.
    """
    recipes = all_recipes()
    component = recipes.pins[_COMPONENT]
    content = digest(recipes.key(_COMPONENT), Path(__file__), _GENERATOR, _SWITCH)
    folder = Cache().get("rollouts-with-mutants", content, lambda target: _make(component, target))
    mutants = msgspec.json.decode((folder / _LIST).read_bytes(), type=list[Mutant])
    return Built(folder / ARCHIVE, {each.id: each for each in mutants})


def _make(component: Pin, target: Path) -> None:
    original = golang.module_folder(component)
    path = f"{component.module.partition('@')[0]}/{_FOLDER}"
    without: set[int] = set()
    for _ in range(_ROUNDS):
        # A copy, because Go refuses an overlay (-overlay) of files in its module cache.
        copy = target / "sources"
        copy_module(original, copy)
        mutants = _planted(copy, path, without)
        try:
            golang.build(component, target, sources=copy, further=_further(component))
        except FiredampError as error:
            refused = _refused(error, mutants)
            if not refused:
                raise
            without |= refused
            shutil.rmtree(copy)
            shutil.rmtree(target / ".tmp", ignore_errors=True)
            continue
        shutil.rmtree(copy)
        (target / _LIST).write_bytes(msgspec.json.encode(mutants))
        write_archive([image(TAG, controller=target / "rollouts-controller")], target / ARCHIVE)
        return
    message = f"after {_ROUNDS} rounds, some mutants still do not compile"
    raise FiredampError(message, hint="see what the compiler refuses, and change e2e/mutants/generator")


def _planted(copy: Path, path: str, without: Collection[int]) -> list[Mutant]:
    """Change the copy of the sources, and return the mutants that are in it."""
    task = json.dumps({"packages": PACKAGES, "without": sorted(without)})
    command = ("run", str(_GENERATOR), str(copy), path, task)
    printed = golang.ask(*command, folder=_HERE, within=_GENERATE_SECONDS)
    mutants = msgspec.json.decode(printed, type=list[Mutant])
    switch = _SWITCH.read_text().replace("VARIABLE", VARIABLE).replace("PORT", str(PORT))
    folder = copy / _FOLDER
    folder.mkdir(parents=True)
    (folder / "mutants.go").write_text(switch.replace("COUNT", str(max(each.id for each in mutants) + 1)))
    return mutants


def _further(component: Pin) -> Sequence[str]:
    module = component.module.partition("@")[0]
    # The main package, too: without it, nothing collects the counters of the others.
    packages = ",".join([*component.binaries.values(), *(f"{module}/{each}" for each in PACKAGES)])
    # Atomic, because the counters are read while the controller runs: https://pkg.go.dev/runtime/coverage
    return ("-cover", "-covermode=atomic", f"-coverpkg={packages}", f"-gcflags={module}/...=-e")


def _refused(error: FiredampError, mutants: Sequence[Mutant]) -> set[int]:
    """The mutants in the lines that the compiler refuses."""
    output = error.__cause__.output if isinstance(error.__cause__, CommandError) else ""
    lines = {(each["file"], int(each["line"])) for each in _REFUSED.finditer(output)}
    return {each.id for each in mutants if (each.file, each.line) in lines}
