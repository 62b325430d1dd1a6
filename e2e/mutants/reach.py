"""What a test made the controller reach: mutants, and covered lines by Go's own counters."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec

from e2e.controller_pod import ask_controller
from e2e.mutants.build import PORT
from fixtures.kube.client import Kube


class Reached(msgspec.Struct, frozen=True):
    """What one test reached.

    Attributes:
        test: Its node id.
        mutants: The numbers of the mutants that were evaluated, in order.
    """

    test: str
    mutants: tuple[int, ...]


def forget(kube: Kube) -> None:
    """Have the controller forget what was reached before."""
    ask_controller(kube, PORT, "forget")


def write(kube: Kube, folder: Path, test: str) -> None:
    """Write what was reached since `forget`, and Go's counters since the controller's start, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = sorted(map(int, ask_controller(kube, PORT, "reached").split()))
    name = _name(test)
    (folder / f"{name}.json").write_bytes(msgspec.json.encode(Reached(test, tuple(numbers))))
    # Their names tell Go what they are: https://pkg.go.dev/internal/coverage
    meta = base64.b64decode(ask_controller(kube, PORT, "coverage/meta"))
    digest = meta[24:40].hex()
    (folder / f"covmeta.{digest}").write_bytes(meta)
    counters = base64.b64decode(ask_controller(kube, PORT, "coverage/counters"))
    (folder / f"covcounters.{digest}.1.{_number(name)}").write_bytes(counters)


def read(folder: Path) -> list[Reached]:
    """Read what tests have reached."""
    return [msgspec.json.decode(path.read_bytes(), type=Reached) for path in sorted(folder.glob("*.json"))]


def counters(folder: Path, test: str) -> list[Path]:
    """The files that Go needs to tell what a test covered, with those that all tests share."""
    return [*folder.glob("covmeta.*"), *folder.glob(f"covcounters.*.{_number(_name(test))}")]


def _name(test: str) -> str:
    return hashlib.sha256(test.encode()).hexdigest()[:16]


def _number(name: str) -> int:
    """A number that stands for a test in the name of a file of counters."""
    return int(name[:12], 16)
