"""Kill test processes with SIGKILL at moments of their whole life, and check that nothing of them stays.

The phases are boot, installation of the stack, a trial, load on a release, and teardown. After each kill
there must be no process, mount, interface, network namespace, packet filter rule, cgroup or file of it, and
none of its cluster's keys, kubeconfigs and passwords in any file.

    python -m e2e.cluster.kill --times 200 --resume kills.jsonl --for 600

kills as many as there is time for. Run again, it does the rest.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from e2e.cluster import ledger
from e2e.cluster.killing import GONE_SECONDS, Kill, Killer
from e2e.cluster.life import Phase
from fixtures.providers.kind.rig import KindRig

# Each phase's share of the kills, and how long it takes on two processors, used until one was measured.
PHASES = {
    "native": (
        Phase("boot", 0.30, 7.0), Phase("stack", 0.25, 7.0), Phase("trial", 0.15, 6.0),
        Phase("load", 0.15, 5.0), Phase("teardown", 0.15, 4.0),
    ),
    "kind": (
        Phase("boot", 0.35, 60.0), Phase("stack", 0.25, 60.0), Phase("trial", 0.10, 15.0),
        Phase("load", 0.10, 5.0), Phase("teardown", 0.20, 8.0),
    ),
}  # fmt: skip


def main() -> int:
    options = _options()
    settings = ledger.KillSettings(options.provider, options.seed, options.gitops)
    book = ledger.opened(options.resume, settings)
    killer = _killer(options, book.settings)
    print(
        f"seed {book.settings.seed}; all must be gone within {killer.within:g} s of each kill;"
        f" log {killer.log}"
    )
    print("* with its process group")
    print(f"{'#':>4}  {'killed in':9}  {'after':>8}  {'secrets':>7}  {'gone after':>10}  left", flush=True)
    ends = time.monotonic() + options.seconds
    for kill in killer.kill_many(options.times, book.settings.seed, done=tuple(book.kills)):
        book.add(kill)
        print(_row(len(book.kills), kill), flush=True)
        if time.monotonic() >= ends:
            break
    print(ledger.summary(book.kills, [phase.name for phase in killer.phases]))
    is_dirty = any(kill.left for kill in book.kills)
    if not is_dirty:
        killer.log.unlink(missing_ok=True)
    return 1 if is_dirty else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--provider", choices=list(PHASES), default="native")
    parser.add_argument(
        "--gitops", action="store_true", help="with Argo CD and a Git server, releases by commits"
    )
    parser.add_argument("--times", type=int, default=20, help="how many in all")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="has those that were done, and gets the others"
    )
    parser.add_argument(
        "--for", dest="seconds", type=float, default=float("inf"), metavar="SECONDS",
        help="begin no further one after so many seconds",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="repeats the moments")
    parser.add_argument(
        "--alone", action="store_true", help="nobody else uses this machine: whatever is new counts"
    )
    return parser.parse_args()


def victim(provider: str, *, gitops: bool = False) -> list[str]:
    """The command of a test process on a provider."""
    return [sys.executable, "-m", "e2e.cluster.victim", provider, *(["--gitops"] if gitops else [])]


def _killer(options: argparse.Namespace, settings: ledger.KillSettings) -> Killer:
    is_kind = settings.provider == "kind"
    return Killer(
        Path(tempfile.gettempdir()) / f"firedamp-kill-{settings.seed}.log",
        "" if options.alone else f"hk-{secrets.token_hex(3)}",
        victim(settings.provider, gitops=settings.gitops),
        PHASES[settings.provider],
        within=KindRig.gone_seconds if is_kind else GONE_SECONDS,
        also=KindRig().traces if is_kind else lambda _: (),
    )


def _row(number: int, kill: Kill) -> str:
    left = "".join(f"\n     {trace}" for trace in kill.left) or "nothing"
    when = f"{kill.phase:9}{'*' if kill.with_group else ' '} {kill.after:6.2f} s"
    return f"{number:>4}  {when}  {kill.secrets:>7}  {kill.gone:8.2f} s  {left}"


if __name__ == "__main__":
    sys.exit(main())
