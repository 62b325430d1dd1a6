"""The template of a project runs as a user runs it: from an installed wheel, in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixtures.wheel_for_test import ROOT, build, install

_SECONDS = 900


@pytest.mark.timeout(_SECONDS)
def test_the_template_of_a_project_passes_with_the_wheel(tmp_path: Path) -> None:
    wheel, environment, project = (tmp_path / name for name in ("wheel", "environment", "shop"))
    wheel.mkdir()
    shutil.copytree(ROOT / "docs" / "templates" / "shop", project)
    installed = install(build(wheel), environment, project)
    done = installed.python("-m", "pytest", "-p", "no:cacheprovider", timeout=_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    changes = [*project.glob("firedamp-out/*/changes.diff")]
    assert len(changes) == 2
    assert "registry.shop.example/shop:2026.11" in changes[0].read_text()
