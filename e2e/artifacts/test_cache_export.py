"""A cache that was built once starts a cluster on a machine that has built nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.types import Report
from fixtures.artifacts import golang
from fixtures.core.paths import cache_root
from fixtures.core.progress import Phases
from fixtures.environment.environment import Options, start
from fixtures.environment.transfer import export_cache, import_cache


@pytest.mark.usefixtures("embedded_node")
@pytest.mark.timeout(600)
def test_an_imported_cache_starts_a_cluster_and_go_is_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: Report
) -> None:
    phases = Phases()
    written = export_cache(tmp_path / "cache.tar.zst", Options(), phases=phases)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(golang, "_goroot", lambda: tmp_path / "no-go")
    taken = import_cache(tmp_path / "cache.tar.zst", sha256=written.sha256, phases=phases)
    assert taken.landed == written.entries
    with start(Options(), phases) as environment:
        assert environment.gateway_url
    assert not (cache_root() / "go").exists()
    numbers(
        megabytes=(tmp_path / "cache.tar.zst").stat().st_size / 1e6,
        import_seconds=phases.seconds["import: entries unpacked and verified"],
    )
