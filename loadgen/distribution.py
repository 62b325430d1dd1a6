"""What a process of a distributed load is told when it is started: which role it has, and by which token."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fixtures.core.clock import Epoch
from loadgen.plan import LoadPlan
from loadgen.status import status_file

_TOKEN, _NAME, _WORKERS = "FIREDAMP_LOAD_TOKEN", "FIREDAMP_LOAD_NAME", "FIREDAMP_LOAD_WORKERS"
_PLAN, _FOLDER, _BOOT = "FIREDAMP_LOAD_PLAN", "FIREDAMP_LOAD_FOLDER", "FIREDAMP_LOAD_BOOT"
_SECRET, _COLLECT = "FIREDAMP_LOAD_SECRET", "FIREDAMP_LOAD_COLLECT"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Role:
    """The role of one process of a load.

    Attributes:
        plan: What is asked for.
        folder: Where files are written.
        token: The secret of a distributed load; "" for a load of one process.
        workers: How many workers a master has; 0 for a worker and for a load of one process.
        name: The name of a worker.
        boot: Names the kernel whose CLOCK_MONOTONIC is meant in the plan.
        collect: The port at which a master in a pod hands out its files; else 0.
    """

    plan: LoadPlan
    folder: Path
    token: str = ""
    workers: int = 0
    name: str = ""
    boot: str = ""
    collect: int = 0

    def environment(self) -> dict[str, str]:
        """Return the role as environment variables, which only the same user can read: see proc(5)."""
        return {
            _PLAN: self.plan.to_json(),
            _FOLDER: str(self.folder),
            _TOKEN: self.token,
            _WORKERS: str(self.workers),
            _NAME: self.name,
            _BOOT: self.boot,
        }

    @property
    def epoch(self) -> Epoch:
        """The clock of this process: that of the plan, or a new one on a machine that does not have it."""
        return self.plan.epoch if self.boot in {"", boot_id()} else Epoch.take()


def role(environment: Mapping[str, str] = os.environ) -> Role:
    """Return the role that `Role.environment` has described, or that a pod has got."""
    secret = environment.get(_SECRET, "")
    said = {
        **environment,
        **({file.name: file.read_text() for file in _files(Path(secret))} if secret else {}),
    }
    return Role(
        LoadPlan.from_json(said[_PLAN]),
        Path(said[_FOLDER]),
        said.get(_TOKEN, ""),
        int(said.get(_WORKERS) or 0),
        said.get(_NAME, ""),
        said.get(_BOOT, ""),
        int(said.get(_COLLECT) or 0),
    )


def secret_of(role: Role) -> dict[str, str]:
    """Return what the pods of a load are given as the files of a Secret."""
    return {_PLAN: role.plan.to_json(), _TOKEN: role.token, _BOOT: role.boot}


def _files(folder: Path) -> list[Path]:
    # Beside the files of a Secret there are links of the kubelet, whose names begin with two dots.
    return [path for path in folder.iterdir() if not path.name.startswith("..")]


def boot_id() -> str:
    """Return what names this boot of this machine's kernel: random(4)."""
    return _BOOT_ID.read_text().strip()


def port_file(plan: LoadPlan, folder: Path) -> Path:
    """Where a master writes which port it has got, for those who start its workers."""
    return status_file(folder, [stream.name for stream in plan.streams]).with_suffix(".port")
