"""Kill a test process with SIGKILL at random moments, and show that nothing of it stays on the host.

python -m e2e.cluster.kill [--times 20] [--seed N] [--alone]
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
from pathlib import Path

from e2e.cluster.killing import GONE_SECONDS, Kill, Killer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="how often")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="repeats the moments")
    parser.add_argument(
        "--alone", action="store_true", help="nobody else uses this machine: whatever is new counts"
    )
    options = parser.parse_args()
    mark = "" if options.alone else f"hk-{secrets.token_hex(3)}"
    log = Path(tempfile.gettempdir()) / f"firedamp-kill-{options.seed}.log"
    print(f"seed {options.seed}; all must be gone within {GONE_SECONDS:g} s of each kill; log {log}")
    print(f"{'#':>3}  {'killed in':9}  {'after':>7}  {'gone after':>10}  left", flush=True)
    kills = []
    for kill in Killer(log, mark).kill_many(options.times, options.seed):
        kills.append(kill)
        print(_row(len(kills), kill), flush=True)
    dirty = sum(bool(kill.left) for kill in kills)
    slowest, median = max(k.gone for k in kills), statistics.median(k.gone for k in kills)
    print(
        f"{len(kills)} kills, {dirty} of which left something; until the host was as before: "
        f"median {median:.2f} s, most {slowest:.2f} s"
    )
    if not dirty:
        log.unlink()
    return 1 if dirty else 0


def _row(number: int, kill: Kill) -> str:
    left = "".join(f"\n     {trace}" for trace in kill.left) or "nothing"
    return f"{number:>3}  {kill.phase:9}  {kill.after:5.2f} s  {kill.gone:8.2f} s  {left}"


if __name__ == "__main__":
    sys.exit(main())
