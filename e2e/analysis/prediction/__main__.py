"""Compare what `firedamp check --rate` predicts with what becomes of real releases of failing versions.

Six canaries are released with versions that fail a known share of their requests, many times each and several
side by side. Releases are appended to a file, so that a run can be stopped and continued.

    python -m e2e.analysis.prediction run --results docs/prediction.jsonl --batch 4 --minutes 10
    python -m e2e.analysis.prediction page --results docs/prediction.jsonl
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from e2e.analysis.prediction.configurations import CONFIGURATIONS, predictions
from e2e.analysis.prediction.page import page
from e2e.analysis.prediction.releases import FAILING, Plan, run
from e2e.analysis.prediction.results import Results
from fixtures.core.progress import Phases
from fixtures.environment.environment import Options, start

_PAGE = Path(__file__).parents[3] / "docs" / "prediction.md"


def main() -> int:
    options = _options()
    results = Results(options.results)
    if options.command == "run":
        cells = [
            (name, version)
            for name in options.configuration or CONFIGURATIONS
            for version in options.version or FAILING
        ]
        with start(Options(), Phases()) as environment, tempfile.TemporaryDirectory() as folder:
            until = time.monotonic() + 60 * options.minutes
            plan = Plan(results, options.batch, options.releases, cells, until)
            run(environment, plan, Path(folder), side_by_side=options.side_by_side)
    else:
        today = {name: predictions(name, tuple(FAILING.values())) for name in CONFIGURATIONS}
        _PAGE.write_text(page(results.releases, today))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=("run", "page"))
    parser.add_argument("--results", type=Path, required=True, help="the file with the results")
    parser.add_argument("--releases", type=int, default=10, help="of each version, with each configuration")
    parser.add_argument("--batch", type=int, default=1, help="the number of the batch")
    parser.add_argument("--minutes", type=float, default=10.0, help="after which no release begins")
    parser.add_argument("--side-by-side", type=int, default=6, help="the number of namespaces")
    parser.add_argument(
        "--configuration", action="append", choices=tuple(CONFIGURATIONS), help="only this one"
    )
    parser.add_argument("--version", action="append", choices=tuple(FAILING), help="only this one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
