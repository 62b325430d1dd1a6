"""Compare what a recorder writes with etcd's own history, while API server, etcd and connections fail.

On a control plane of its own, objects are changed all the time. The recorder's
connections lead through a relay that at random cuts them, holds data back, and leaves
them half open. The API server and etcd are killed, or stopped for a while. All the
time, `holds` is asked whether an object stays well. At the end, the recorder must
have written each change of etcd's history once (`comparison` has the contract), and
`holds` must not have confirmed anything that was false.

python -m e2e.harness.watch_history [--minutes 20] [--seed N]
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from e2e.harness.watch_history.claims import HELD, Claimant, Judgement, judge
from e2e.harness.watch_history.comparison import RECORDS, Comparison, compare
from e2e.harness.watch_history.etcd import EtcdHistory
from e2e.harness.watch_history.objects import KINDS, definitions
from e2e.harness.watch_history.relay import FlakyRelay
from e2e.harness.watch_history.trouble import Trouble
from e2e.harness.watch_history.writer import Writer
from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube
from fixtures.kube.errors import KubeError
from fixtures.kube.login import configuration_of
from fixtures.providers.native.parts import NEEDS, node_parts
from fixtures.providers.native.provider import NativeCluster
from fixtures.timeline.recorder import Recorder
from fixtures.timeline.timeline import Timeline

_SERVED_SECONDS = 60
# Long enough for the end of the last trouble: the API server may have been killed just now.
_CAUGHT_UP_SECONDS = 120
_ETCD_PORT = 2379
_NAMESPACE = "history"
_PACE = 0.15
_PROGRESS_SECONDS = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="for how long")
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(1 << 32),
        help="the same seed makes the same random choices",
    )
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} min", flush=True)
    with tempfile.TemporaryDirectory(prefix="firedamp-history-") as folder:
        return 0 if run(options.minutes * 60, options.seed, Path(folder)) else 1


def run(seconds: float, seed: int, folder: Path) -> bool:
    """Make trouble for so many seconds, print the results, and return whether all of them are right."""
    recipes = all_recipes()
    parts = node_parts(recipes.pins, Builder(recipes).get(*NEEDS))
    only = replace(parts, store=None, only=("etcd", "kube-apiserver"))
    node = NativeCluster(only, name=f"history-{secrets.token_hex(3)}")
    try:
        node.start()
        return _run_on(node, seconds, seed, folder)
    finally:
        node.stop()


def _run_on(node: NativeCluster, seconds: float, seed: int, folder: Path) -> bool:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    node.kube.apply(*definitions(), namespace)
    until(lambda: _all_served(node.kube), what="kinds served", timeout=_SERVED_SECONDS)
    url = f"https://127.0.0.1:{node.forward('127.0.0.1', _ETCD_PORT)}"
    with ExitStack() as running:
        history = EtcdHistory(url, node.kubeconfig.parent / "pki", _NAMESPACE)
        running.enter_context(history)
        configuration = configuration_of(node.kubeconfig)
        relay = running.enter_context(FlakyRelay(int(configuration.host.rsplit(":", 1)[1])))
        configuration.host = f"https://127.0.0.1:{relay.port}"
        timeline = running.enter_context(Timeline(folder / "timeline"))
        running.enter_context(Recorder(Kube(configuration, folder / "discovery"), _NAMESPACE, timeline))
        writers = [Writer(node.kube, _NAMESPACE, kind, seed=seed, pace=_PACE) for kind in KINDS]
        subjects = [(writer.kind, name) for writer in writers for name in writer.names]
        claimant = Claimant(timeline, subjects, seed=seed)
        trouble = Trouble(node, relay, seed=seed)
        with ExitStack() as troubled:
            for part in (*writers, claimant, trouble):
                troubled.enter_context(part)
            _wait(seconds, lambda: f"{len(history.changes):,} changes, {len(claimant.claims):,} claims")
        for part in (*writers, claimant, trouble, history):
            if part.failure:
                raise FiredampError(f"{type(part).__name__} ended before its time") from part.failure
        history.wait_for(_caught_up(timeline))
        writes = [write for writer in writers for write in writer.writes]
        comparison = compare(history.changes, timeline.records)
        return _print_results(comparison, judge(claimant.claims, writes), trouble, len(writes))


def _all_served(kube: Kube) -> None:
    for kind in KINDS:
        try:
            kube.list(kind, _NAMESPACE)
        except KubeError as error:
            raise PendingError(f"{kind.kind}: {error}") from error


def _wait(seconds: float, what: Callable[[], str]) -> None:
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        time.sleep(min(_PROGRESS_SECONDS, left))  # the passing of time under trouble is what is tested
        print(f"{time.monotonic() - began:6.0f} s: {what()}", flush=True)


def _caught_up(timeline: Timeline) -> int:
    """Wait until the recorder is up to date; return the resource version that it has reached."""
    ends = time.monotonic() + _CAUGHT_UP_SECONDS
    record_types = [RECORDS[kind.kind] for kind in KINDS]
    watches = [watched for watched in timeline.watched if watched.record_type in record_types]
    tickets = [watched.freshness.ask() for watched in watches]
    answers = [w.freshness.answered(t, until=ends) for w, t in zip(watches, tickets, strict=True)]
    timeline.require_whole()
    versions = [version for version in answers if version]
    if len(versions) < len(KINDS):
        raise FiredampError(f"the recorder does not catch up within {_CAUGHT_UP_SECONDS} s")
    return max(versions)


def _print_results(comparison: Comparison, judgement: Judgement, trouble: Trouble, writes: int) -> bool:
    print("trouble: " + ", ".join(f"{n} x {what}" for what, n in sorted(trouble.happened.items())))
    print(
        f"{writes:,} writes, {comparison.changes:,} changes in etcd; {comparison.recorded:,} told once, "
        f"{comparison.hidden:,} hidden by {comparison.gaps} gaps; {len(comparison.lost)} lost, "
        f"{len(comparison.doubled)} doubled, {len(comparison.invented)} invented"
    )
    outcomes = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(judgement.outcomes.items()))
    wrong, groundless = judgement.wrong, judgement.groundless
    print(
        f"claims: {outcomes}; {len(wrong)} held that were not so; {len(groundless)} failed without a cause, "
        f"{judgement.late} by one that was told late"
    )
    if len(judgement.extra) > 1:
        median, most = statistics.median(judgement.extra), max(judgement.extra)
        print(f"holds took {median:.2f} s longer than asked for (median), {most:.2f} s at most")
    for what in (*comparison.lost, *comparison.doubled, *comparison.invented, *wrong, *groundless):
        print(f"  {what}")
    is_enough = bool(comparison.recorded and judgement.outcomes[HELD] and trouble.happened)
    return comparison.is_clean and not wrong and not groundless and is_enough


if __name__ == "__main__":
    sys.exit(main())
