"""Runs `firedamp diagnose` as a user does, and makes trouble that it has to find."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from typer.testing import CliRunner

from fixtures.cli.app import app as cli
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import Kind
from fixtures.trial.trial import Trial

_RIVAL_SECONDS = 0.2


@dataclass(frozen=True)
class Diagnosis:
    """The exit code of the command, and what it printed."""

    code: int
    output: str

    @property
    def line(self) -> str:
        """The first line of the output, which is the diagnosis itself."""
        return self.output.partition("\n")[0]

    @property
    def advice(self) -> list[str]:
        """The commands that it recommends, with their comments."""
        lines = (line.strip() for line in self.output.splitlines())
        return [line.removeprefix("-> ") for line in lines if line.startswith("-> ")]


def diagnose(app: Trial, rollout: str = "payments") -> Diagnosis:
    """Run `firedamp diagnose` on a trial's Rollout."""
    options = ["--namespace", app.namespace, "--kubeconfig", str(app.environment.cluster.kubeconfig)]
    done = CliRunner().invoke(cli, ["diagnose", rollout, *options])
    return Diagnosis(done.exit_code, done.output)


def diagnosed(app: Trial, cause: str, *, saying: str = "", within: float = 90) -> Diagnosis:
    """Wait until the command names a cause, with the words `saying`; the error has what it said instead.

    It may take a while: the trouble can be there before the event, the log or the probe's result that shows
    its cause.
    """

    def look() -> Diagnosis:
        diagnosis = diagnose(app)
        if not diagnosis.line.startswith(f"{cause}: ") or saying not in diagnosis.line:
            raise PendingError(diagnosis.output)
        return diagnosis

    return until(look, what=f"diagnosis {cause!r}", timeout=within)


def as_applied(app: Trial, kind: Kind, name: str = "") -> Object:
    """The manifest of an object of the trial as it is now, without the fields that the API server added.

    Without a name, it is the object with the app's.
    """
    present = app.kube.get(kind, name or app.name, app.namespace)
    assert present is not None
    metadata = {"name": name or app.name, "namespace": app.namespace}
    return {**{key: present[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}


@contextmanager
def rival(kube: Kube, manifest: Object) -> Iterator[None]:
    """Apply a manifest again and again, like a GitOps tool that undoes what it takes for drift."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def heal() -> None:
        try:
            while not stop.wait(_RIVAL_SECONDS):
                kube.apply(manifest)
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread of the test
            errors.append(error)

    thread = threading.Thread(target=heal, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    if errors:
        raise errors[0]
