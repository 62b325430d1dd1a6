"""A real registry for the tests of a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.artifacts.local_registry import LocalRegistry
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Removed at once: pytest keeps the folders of three runs, and this one takes two gigabytes."""
    path = tmp_path_factory.mktemp("registry")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def registry(folder: Path) -> Iterator[LocalRegistry]:
    tools = Builder(all_recipes()).get("registry", "crane")
    (folder / "registry").mkdir()
    with LocalRegistry(
        folder / "registry", registry=tools["registry"] / "registry", crane=tools["crane"] / "crane"
    ) as running:
        yield running
