"""Compare who answered, by the gateway and the recorded pods, with what the sample API says of itself.

An app is released, aborted and promoted again and again, and its pods are deleted, deleted by force and
restarted, until there are so many answers. Each answer must name the pod and the version that the recording
gives; none may be of an unknown pod.

    python -m e2e.harness.who_answered --answers 100000
    python -m e2e.harness.who_answered --answers 30000 --strategy bluegreen --mesh
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from e2e.harness.who_answered.checking import Result, check
from e2e.harness.who_answered.walk import SHORT_CANARY, WALKS
from fixtures.core.progress import Phases
from fixtures.environment.environment import Options, start
from fixtures.trial.sample import sample_trial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000, help="at least so many are compared")
    parser.add_argument("--rate", type=float, default=400, help="requests per second")
    parser.add_argument("--strategy", choices=sorted(WALKS), default="canary")
    parser.add_argument("--mesh", action="store_true", help="with a sidecar in each pod")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firedamp-answered-") as folder:
        result = _run(options, Path(folder) / "trial")
    print(result)
    result.agreement.require_all()
    return 0 if result.agreement.agreeing >= options.answers else 1


def _run(options: argparse.Namespace, folder: Path) -> Result:
    variant = SHORT_CANARY if options.strategy == "canary" else None
    with (
        start(Options(), Phases()) as environment,
        sample_trial(environment, options.strategy, folder, mesh=options.mesh, variant=variant) as app,
    ):
        return check(app, options.strategy, answers=options.answers, rate=options.rate)


if __name__ == "__main__":
    sys.exit(main())
