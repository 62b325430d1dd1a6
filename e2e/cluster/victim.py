"""The test process that is killed: it starts an environment, releases a version under load, and tears down.

Run as `python -m e2e.cluster.victim PROVIDER [--gitops] NAME FOLDER`. It prints the name of each phase that
it begins, and waits before the teardown until its standard input closes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.core.progress import Phases
from fixtures.environment.environment import Environment, Options, start
from fixtures.trial.gitops import sample_gitops_trial
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import Trial

# Requests per second. Small, because the trial waits until this much of the machine's load is free.
_RATE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("provider")
    parser.add_argument("--gitops", action="store_true")
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    _say("boot")
    options = Options(provider=chosen.provider, name=chosen.name, gitops=chosen.gitops)
    with start(options, _Telling()) as environment:
        _say("trial")
        with _trial(environment, chosen.folder, gitops=chosen.gitops) as app, app.traffic(_RATE):
            _say("load")
            app.deploy("1.2-5xx")
            sys.stdin.read()
            _say("teardown")
    _say("end")


class _Telling(Phases):
    """Prints the beginning of the phase `stack` when the API server answers."""

    @contextmanager
    def phase(self, name: str, *, estimate: float | None = None, quiet_below: float = 0.0) -> Iterator[None]:
        """Run the body as a phase."""
        with super().phase(name, estimate=estimate, quiet_below=quiet_below):
            yield
        if name.startswith("API server of cluster "):
            _say("stack")


def _trial(environment: Environment, folder: Path, *, gitops: bool) -> Trial:
    return (sample_gitops_trial if gitops else sample_trial)(environment, "canary", folder)


def _say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    main()
