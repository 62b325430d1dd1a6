from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.artifacts.oci.layer import File, Symlink
from fixtures.artifacts.pins import pin
from fixtures.artifacts.recipes import PAUSE_TAG
from fixtures.core.errors import FiredampError
from kind_host import node_image

CONTAINERD = 'sandbox_image = "registry.k8s.io/pause:3.10"\nrestrict_oom_score_adj = false\nother = 1\n'
SPEC = {"process": {"args": ["sh"], "rlimits": [{"type": "RLIMIT_NOFILE"}]}, "root": {}}


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """Files such as kind's module has."""
    files = {
        "etc/containerd/config.toml": CONTAINERD,
        "etc/default/kubelet": "KUBELET_EXTRA_ARGS=--runtime-cgroups=/x\n",
        "kind/bin/hook.sh": "",
        "usr/local/bin/entrypoint": "",
        "LICENSES/README.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def text(entry: object) -> str:
    assert isinstance(entry, File)
    return entry.source.decode() if isinstance(entry.source, bytes) else entry.source.read_text()


def test_kinds_files_go_where_its_dockerfile_puts_them(kinds: Path) -> None:
    copied = node_image._copied(kinds)
    modes = {path: entry.mode for path, entry in copied.items() if isinstance(entry, File)}
    assert modes == {
        "/etc/containerd/config.toml": 0o644,
        "/etc/default/kubelet": 0o644,
        "/kind/bin/hook.sh": 0o755,
        "/usr/local/bin/entrypoint": 0o755,
    }


def test_its_settings_are_changed_where_they_must_be(kinds: Path) -> None:
    settings = node_image._settings(kinds, json.dumps(SPEC))
    assert text(settings["/etc/containerd/config.toml"]).splitlines() == [
        f'sandbox_image = "registry.k8s.io/pause:{PAUSE_TAG}"',
        "restrict_oom_score_adj = true",
        "other = 1",
    ]
    (folder,) = {path.rpartition("/")[0] for path in settings if path.endswith(".conf")}
    kubelet = text(settings["/etc/default/kubelet"])
    assert kubelet == f"KUBELET_EXTRA_ARGS=--runtime-cgroups=/x --config-dir={folder}\n"
    spec = json.loads(text(settings["/etc/containerd/cri-base.json"]))
    assert spec["process"] == {"args": ["sh"]}
    assert spec["hooks"]["createContainer"] == [{"path": "/kind/bin/mount-product-files.sh"}]


@pytest.mark.parametrize("line", CONTAINERD.splitlines()[:2])
def test_settings_that_kind_has_no_more_are_noticed(line: str) -> None:
    with pytest.raises(FiredampError, match=r"says .* no more"):
        node_image._containerd(CONTAINERD.replace(line, ""))


def test_every_service_that_is_enabled_is_there(kinds: Path) -> None:
    (kinds / "etc" / "systemd" / "system").mkdir(parents=True)
    for service in ("containerd", "kubelet", "undo-mount-hacks"):
        (kinds / "etc" / "systemd" / "system" / f"{service}.service").touch()
    entries = {**node_image._copied(kinds), **node_image._services()}
    enabled = [entry for path, entry in entries.items() if ".wants/" in path]
    assert enabled
    assert {entry.target for entry in enabled if isinstance(entry, Symlink)} <= set(entries)


def test_programs_go_where_kind_looks_for_them(tmp_path: Path) -> None:
    programs = node_image._programs({need: tmp_path / need for need in node_image.NEEDS})
    assert {"/usr/bin/kubeadm", "/usr/bin/kubelet", "/usr/bin/kubectl", "/usr/local/sbin/runc"} <= set(
        programs
    )
    assert {f"/opt/cni/bin/{plugin}" for plugin in ("ptp", "host-local", "loopback", "portmap")} <= set(
        programs
    )
    assert programs["/usr/local/bin/ctr"] == File(tmp_path / "containerd" / "ctr", 0o755)


def test_the_image_is_named_after_its_kubernetes() -> None:
    assert node_image.name() == f"firedamp.dev/kind-node:{pin('kubernetes').version}"
