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
    """

    plan: LoadPlan
    folder: Path
    token: str = ""
    workers: int = 0
    name: str = ""
    boot: str = ""

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
    """Return the role that `Role.environment` has described."""
    return Role(
        LoadPlan.from_json(environment[_PLAN]),
        Path(environment[_FOLDER]),
        environment.get(_TOKEN, ""),
        int(environment.get(_WORKERS) or 0),
        environment.get(_NAME, ""),
        environment.get(_BOOT, ""),
    )


def boot_id() -> str:
    """Return what names this boot of this machine's kernel: random(4)."""
    return _BOOT_ID.read_text().strip()


def port_file(plan: LoadPlan, folder: Path) -> Path:
    """Where a master writes which port it has got, for those who start its workers."""
    return status_file(folder, [stream.name for stream in plan.streams]).with_suffix(".port")
