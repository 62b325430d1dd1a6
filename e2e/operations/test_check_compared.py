"""What others see of forty mistakes is what the docs say, and check knows what Argo Rollouts knows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from e2e.operations.kubectl_plugin import Plugin
from e2e.types import Report
from fixtures.addons.components import all_recipes
from fixtures.artifacts import golang
from fixtures.check import expressions
from fixtures.check.compared import MISTAKES
from fixtures.check.examples import changed
from fixtures.check.rules.common import as_yaml
from fixtures.check.schemas import make
from fixtures.core import process
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object

# Nothing is made in it.
_NAMESPACE = "default"
_SECONDS = 60
_GOLDEN = Path(str(expressions.__file__)).parent / "golden"


def test_lint_sees_what_the_table_says(plugin_binary: Path, tmp_path: Path, numbers: Report) -> None:
    # Lint reads the file alone, so that no cluster is needed.
    lint = _program(plugin_binary, tmp_path / "no-kubeconfig", tmp_path)
    # Nothing is wrong without a mistake: so each refusal is about the mistake.
    assert _said(lint, tmp_path, "", "lint") == ""

    said = {each.id: _said(lint, tmp_path, each.text, "lint") for each in MISTAKES}
    assert not _wrong({each.id: each.lint for each in MISTAKES}, said)
    numbers(seen_by_lint=sum(map(bool, said.values())), of=len(MISTAKES))


def test_a_dry_run_sees_what_the_table_says(
    environment: Environment, kubectl_binary: Path, tmp_path: Path, numbers: Report
) -> None:
    kubectl = _program(kubectl_binary, environment.cluster.kubeconfig, tmp_path)
    words = ("apply", "--dry-run=server")
    assert _said(kubectl, tmp_path, "", *words) == ""

    said = {each.id: _said(kubectl, tmp_path, each.text, *words) for each in MISTAKES}
    assert not _wrong({each.id: each.dry_run for each in MISTAKES}, said)
    numbers(seen_by_dry_run=sum(map(bool, said.values())), of=len(MISTAKES))


def test_the_evaluator_is_compared_with_the_pinned_one(tmp_path: Path, numbers: Report) -> None:
    pin = all_recipes().pins["rollouts"]
    module, made = tmp_path / "module", tmp_path / "made"
    for folder in (module, made):
        folder.mkdir()
    for file in (pin.directory / "go.mod", pin.directory / "go.sum", _GOLDEN / "main.go"):
        shutil.copy(file, module)
    package = (pin.directory / "go.mod").read_text().split()[1]
    golang.build(replace(pin, directory=module, binaries={"answers": package}), made)

    answers = process.run(
        [made / "answers"], timeout=_SECONDS, stdin=(_GOLDEN / "expressions.txt").read_text()
    )
    assert answers == (_GOLDEN / "answers.txt").read_text()
    numbers(expressions=len(answers.splitlines()), version=pin.version)


def test_the_schemas_are_those_of_the_pinned_versions() -> None:
    rollouts, istio = (golang.module_folder(all_recipes().pins[name]) for name in ("rollouts", "istiod"))
    crds = sorted((rollouts / "manifests" / "crds").glob("*-crd.yaml"))
    assert make.FILE.read_text() == make.made([*crds, istio / make.ISTIO_CRDS])


def _program(binary: Path, kubeconfig: Path, folder: Path) -> Plugin:
    output = folder / "output"
    output.mkdir()
    return Plugin(binary, kubeconfig, output)


def _wrong(expected: Mapping[str, bool], said: Mapping[str, str]) -> str:
    """The mistakes of which something else is seen than the table says, one line each."""
    return "\n".join(
        f"{name}: {text or 'it is not refused'}"
        for name, text in said.items()
        if bool(text) is not expected[name]
    )


def _objects(text: str) -> list[Object]:
    """The example app with a change, or without one for ""."""
    return [each.body for each in changed(text)]


def _said(program: Plugin, folder: Path, text: str, *words: str) -> str:
    """What a program says of the example app with a change; "" if it refuses nothing."""
    path = folder / "manifests.yaml"
    path.write_text(as_yaml(*_objects(text)))
    done = program(_NAMESPACE, *words, "-f", str(path))
    return (done.output or "nothing") if done.code else ""
