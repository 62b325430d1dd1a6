from __future__ import annotations

from pathlib import Path

import pytest

from kind_host import keeper


@pytest.fixture
def holder(tmp_path: Path) -> keeper.DockerHolder:
    folder = tmp_path / "docker" / "abc123"
    folder.mkdir(parents=True)
    return keeper.DockerHolder({"folder": str(folder), "programs": "/programs"})


@pytest.mark.parametrize("may", [True, False])
def test_the_runtime_is_replaced_only_where_it_must_be(
    holder: keeper.DockerHolder, monkeypatch: pytest.MonkeyPatch, *, may: bool
) -> None:
    monkeypatch.setattr(keeper, "_may_have_cap_sys_resource", lambda: may)
    command = [str(part) for part in holder._dockerd()]
    assert ("--default-runtime" in command) != may
    assert command[command.index("--cgroup-parent") + 1] == "/firedamp-docker-abc123"


@pytest.mark.parametrize(("bounding", "may"), [("000001ffffffffff", True), ("000001fffeffffff", False)])
def test_it_is_the_bounding_set_that_counts(
    monkeypatch: pytest.MonkeyPatch, bounding: str, *, may: bool
) -> None:
    status = f"Name:\tx\nCapEff:\t0000000000000000\nCapBnd:\t{bounding}\n"
    monkeypatch.setattr(Path, "read_text", lambda _: status)
    assert keeper._may_have_cap_sys_resource() is may


def test_scripts_run_a_module_with_its_first_argument(holder: keeper.DockerHolder, tmp_path: Path) -> None:
    script = holder._script("port", tmp_path / "ports.sock")
    source = Path(keeper.__file__).with_name("port.py")
    assert script.read_text().endswith(f' -IS {source} {tmp_path / "ports.sock"} "$@"\n')
    assert script.stat().st_mode & 0o777 == 0o700
