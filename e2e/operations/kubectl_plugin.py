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
    """A command that has ended: its exit code, and all that it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Started:
    """A command that is running, with the file that has its output."""

    running: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self) -> Done:
        """Wait until the command ends by itself."""
        return Done(self.running.wait(_SECONDS), self.output)

    def stop(self) -> None:
        """Kill the command, if it is still running."""
        self.running.kill()
        self.running.wait(_SECONDS)


@dataclass(frozen=True)
class Plugin:
    """`kubectl-argo-rollouts` on this host, with the cluster's kubeconfig.

    Attributes:
        binary: The program.
        kubeconfig: The cluster's kubeconfig.
        folder: Where its output and its cache are.
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
        """Run a command that `firedamp diagnose` names: `kubectl argo rollouts undo payments -n shop`."""
        words = shlex.split(advice.removeprefix(_AS_KUBECTL), comments=True)
        place = words.index("-n")
        return self(words[place + 1], *words[:place], *words[place + 2 :])
