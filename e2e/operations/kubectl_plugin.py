"""The kubectl plugin of Argo Rollouts, run as an operator runs it."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fixtures.core import process

_SECONDS = 60
_AS_KUBECTL = "kubectl argo rollouts "


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, and all that it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Started:
    """A command that goes on, with the file that it prints to."""

    running: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self) -> Done:
        """Wait for its end."""
        return Done(self.running.wait(_SECONDS), self.output)

    def stop(self) -> None:
        """End it, if it has not ended."""
        self.running.kill()
        self.running.wait(_SECONDS)


@dataclass(frozen=True)
class Plugin:
    """`kubectl-argo-rollouts` on this host, with the cluster's kubeconfig.

    Attributes:
        binary: The program.
        kubeconfig: Leads to the cluster.
        folder: For what it prints and caches.
    """

    binary: Path
    kubeconfig: Path
    folder: Path

    def __call__(self, namespace: str, *words: str) -> Done:
        """Run a command to its end, as in `plugin(namespace, "promote", "payments")`."""
        return self.start(namespace, *words).end()

    def start(self, namespace: str, *words: str) -> Started:
        """Start a command."""
        log = self.folder / f"{len(list(self.folder.iterdir()))}.log"
        options = ("-n", namespace, "--kubeconfig", self.kubeconfig, "--cache-dir", self.folder / "cache")
        return Started(process.spawn([self.binary, *words, *options], log=log), log)

    def follow(self, advice: str) -> Done:
        """Run a line that `firedamp diagnose` ends with: `kubectl argo rollouts undo payments -n shop`."""
        words = shlex.split(advice.removeprefix(_AS_KUBECTL), comments=True)
        place = words.index("-n")
        return self(words[place + 1], *words[:place], *words[place + 2 :])
