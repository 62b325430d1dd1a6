"""A trial that a test writes step by step, and its page in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.browser import Browser
from fixtures.live.files_for_test import Folder
from fixtures.live.running import served_beside


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "out" / "shop")
    folder.begin()
    folder.requests(0, 8)
    return folder


@pytest.fixture
def address(folder: Folder) -> Iterator[str]:
    with served_beside([folder.path.parent]) as address:
        yield address


@pytest.fixture
def page(chromium: str, tmp_path: Path, address: str) -> Iterator[Browser]:
    with Browser(chromium, tmp_path / "browser") as page:
        page.open(address)
        yield page
