from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.artifacts import debian
from fixtures.artifacts.cache import Cache
from fixtures.core.errors import FiredampError
from kind_host import root

# In place of mmdebstrap: says what it was asked, in the last file that it was given.
TOOL = """#!/bin/sh
[ "$MIRROR" = down ] && echo "E: cannot fetch" >&2 && exit 25
for last; do :; done
printf '%s\\n' "$@" > "$last"
"""


@pytest.fixture(autouse=True)
def _tool(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(packages: Sequence[str], target: Path) -> None:
        assert packages == ["mmdebstrap"]
        (target / "usr" / "bin").mkdir(parents=True)
        (target / "usr" / "bin" / "mmdebstrap").write_text(TOOL)
        (target / "usr" / "bin" / "mmdebstrap").chmod(0o755)

    monkeypatch.setattr(debian, "unpack", unpack)


def test_only_the_archive_is_kept(tmp_path: Path) -> None:
    found = root.root_file_system(Cache(tmp_path))
    assert {path.name for path in found.iterdir()} - {".seal.json"} == {root.ARCHIVE}
    asked = (found / root.ARCHIVE).read_text().splitlines()
    (packages,) = [line for line in asked if line.startswith("--include=")]
    assert {"systemd", "iptables", "jq"} <= set(packages.removeprefix("--include=").split(","))
    (removed,) = [line for line in asked if "rm -f" in line]
    assert '"$1"/usr/lib/sysctl.d/*' in removed


def test_a_mirror_that_does_not_answer_is_said_to_be_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR", "down")
    with pytest.raises(FiredampError, match=r"cannot fetch(.|\n)*apt-get update"):
        root.root_file_system(Cache(tmp_path))


def test_without_perl_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FiredampError, match=r"no perl(.|\n)*apt-get install perl"):
        root.root_file_system(Cache(tmp_path))
