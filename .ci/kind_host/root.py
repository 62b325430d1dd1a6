"""The root file system of a node: Debian, with the packages and the services of kind's own base image."""

from __future__ import annotations

import shutil
from pathlib import Path

from fixtures.artifacts import debian
from fixtures.artifacts.cache import Cache, digest
from fixtures.core.errors import FiredampError
from fixtures.core.process import CommandError, run

ARCHIVE = "root.tar"
_SUITE = "bookworm"
# As in images/base/Dockerfile of sigs.k8s.io/kind, without what serves storage over the network.
_PACKAGES = (
    "systemd", "systemd-sysv", "conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux",
    "mount", "kmod", "libseccomp2", "pigz", "e2fsprogs", "bash", "ca-certificates", "curl", "jq", "procps",
)  # fmt: skip
# What that Dockerfile removes: services that a container does not need or must not run.
_REMOVED = (
    "usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
    "usr/lib/systemd/system/multi-user.target.wants/*",
    "etc/systemd/system/*.wants/*",
    "usr/lib/systemd/system/local-fs.target.wants/*",
    "usr/lib/systemd/system/sockets.target.wants/*udev*",
    "usr/lib/systemd/system/sockets.target.wants/*initctl*",
    "usr/lib/systemd/system/basic.target.wants/*",
    # And what that image has not, because its base is smaller: settings of the whole machine.
    "usr/lib/sysctl.d/*",
)
_SECONDS = 900


def root_file_system(cache: Cache) -> Path:
    """Return the folder with `root.tar`, making it if it is not there.

    Raises:
        FiredampError: This machine has no perl, or its Debian mirror does not answer.
    """
    return cache.get("kind-root", digest(Path(__file__), Path(debian.__file__)), _make)


def _make(target: Path) -> None:
    if not shutil.which("perl"):
        raise FiredampError("no perl, which mmdebstrap is written in", hint="apt-get install perl")
    tool = target / "tool"
    tool.mkdir()
    debian.unpack(["mmdebstrap"], tool)
    remove = " ".join(f'"$1"/{pattern}' for pattern in _REMOVED)
    command: list[str | Path] = [
        tool / "usr" / "bin" / "mmdebstrap", "--mode=root", "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        '--customize-hook=echo ReadKMsg=no >> "$1/etc/systemd/journald.conf"',
        f"--customize-hook=rm -f {remove}",
        _SUITE, target / ARCHIVE,
    ]  # fmt: skip
    try:
        environment = {"TMPDIR": str(target), "SOURCE_DATE_EPOCH": "0"}
        run(command, env=environment, timeout=_SECONDS, descendants=True)
    except CommandError as error:
        hint = "see whether `apt-get update` works on this machine"
        raise FiredampError(f"no Debian root file system: {error}", hint=hint) from error
    shutil.rmtree(tool)
