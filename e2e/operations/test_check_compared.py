"""What `kubectl argo rollouts lint` sees of forty mistakes is what the docs say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from e2e.operations.kubectl_plugin import Plugin
from e2e.types import Report
from fixtures.check.compared import MISTAKES
from fixtures.check.examples import changed
from fixtures.check.rules.common import as_yaml
from fixtures.kube.client import Object

# Nothing is made in it.
_NAMESPACE = "default"


def test_lint_sees_what_the_table_says(plugin_binary: Path, tmp_path: Path, numbers: Report) -> None:
    # Lint reads the file alone, so that no cluster is needed.
    output = tmp_path / "output"
    output.mkdir()
    plugin = Plugin(plugin_binary, tmp_path / "no-kubeconfig", output)
    # Nothing is wrong without a mistake: so each refusal is about the mistake.
    assert _linted(plugin, tmp_path, _objects("")) == ""

    said = {each.id: _linted(plugin, tmp_path, _objects(each.text)) for each in MISTAKES}
    assert not _wrong({each.id: each.lint for each in MISTAKES}, said)
    numbers(seen_by_lint=sum(map(bool, said.values())), of=len(MISTAKES))


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


def _linted(plugin: Plugin, folder: Path, objects: list[Object]) -> str:
    """What lint says of a file that it refuses; "" if it refuses nothing."""
    path = folder / "manifests.yaml"
    path.write_text(as_yaml(*objects))
    done = plugin(_NAMESPACE, "lint", "-f", str(path))
    return (done.output or "nothing") if done.code else ""
