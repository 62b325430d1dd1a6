"""A run on an existing cluster installs and removes the whole stack, and changes nothing else."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from e2e.canary.aborting import abort_of_5xx
from e2e.types import Report
from fixtures.addons.components import all_recipes
from fixtures.addons.coredns import COREDNS
from fixtures.addons.load import ARCHIVE as LOAD_ARCHIVE
from fixtures.addons.load import LOAD
from fixtures.addons.settings import Settings
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.recipes import ARCHIVE
from fixtures.conditions.conditions import aborted, weight_is
from fixtures.core.errors import FiredampError
from fixtures.core.progress import Phases
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Options, start
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import CONFIG_MAP, SERVICE_ACCOUNT
from fixtures.kube.wait import wait_for
from fixtures.providers.existing.options import Existing
from fixtures.providers.existing.rig import base
from fixtures.providers.native.layout import DNS_SERVICE_IP
from fixtures.providers.native.provider import NativeCluster
from fixtures.providers.native.rig import parts
from fixtures.timeline.recording import Recording
from fixtures.trial.sample import sample_trial
from loadgen.queries import latency_ms
from loadgen.requests import Requests
from loadgen.status import Status

# What controllers of the cluster itself write all the time.
_OF_ITSELF = {"events", "leases", "endpoints", "endpointslices"}
_GONE_SECONDS = 120
_THEIRS: list[Object] = [
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "theirs", "labels": {"istio-injection": "enabled"}},
    },
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "theirs"}},
]

Census = dict[str, Object]


@pytest.fixture
def theirs(embedded_node: None) -> Iterator[NativeCluster]:
    """A cluster that somebody uses: with DNS, as every such cluster, and with things of theirs."""
    del embedded_node
    with base(parts()) as node:
        COREDNS.install(node.kube, Settings(all_recipes().pins, dns_ip=DNS_SERVICE_IP))
        COREDNS.ready(node.kube)
        node.kube.apply(*_THEIRS)
        # What the cluster itself puts into a namespace has to be there before anybody counts.
        for kind, name in ((SERVICE_ACCOUNT, "default"), (CONFIG_MAP, "kube-root-ca.crt")):
            wait_for(node.kube, kind, name, "theirs", lambda _: None, what=f"{name} in theirs", timeout=60)
        yield node


def test_a_bad_release_is_aborted_on_it_and_then_it_is_as_it_was(
    theirs: NativeCluster, tmp_path: Path, numbers: Report
) -> None:
    existing = Existing(str(theirs.kubeconfig), theirs.name)
    options = Options(provider="existing", own=(existing,), artifacts="source")
    with pytest.raises(FiredampError, match="did not install: namespace theirs"):
        start(options, Phases())
    before = _census(theirs.kube)
    disposable = Existing(existing.kubeconfig, existing.context, is_disposable=True)
    with start(Options(provider="existing", own=(disposable,), artifacts="source")) as environment:
        with sample_trial(environment, "canary", tmp_path) as app:
            with app.traffic(100):
                app.deploy("1.2-5xx")
                took = app.wait(aborted(version="1.2-5xx"), within=45)
                app.wait(weight_is(0), within=30)
            answers = app.records().requests
        during = _census(theirs.kube)
    assert _of(during, "theirs") == _of(before, "theirs"), "something was written to a namespace of others"
    until(lambda: _same(theirs.kube, before), what="the cluster as it was", timeout=_GONE_SECONDS)
    assert not [each for each in answers if each.status == 0], "the port-forward lost requests"
    times = sorted(each.service_ms for each in answers)
    numbers(
        requests_by_port_forward=f"{len(times):,}",
        median=f"{statistics.median(times):.1f} ms",
        p99=f"{times[len(times) * 99 // 100]:.1f} ms",
        connections=sum(not each.reused for each in answers),
        deploy_to_aborted=f"{took:.1f} s",
        **{f"until {what}": f"{seconds:.1f} s" for what, seconds in environment.seconds.items()},
    )


def test_load_comes_from_workers_in_it_if_its_nodes_have_their_image(
    theirs: NativeCluster, tmp_path: Path, numbers: Report
) -> None:
    # As an administrator would, who could also push the image to a registry.
    theirs.load_image(Builder(all_recipes()).get(LOAD_ARCHIVE)[LOAD_ARCHIVE] / ARCHIVE)
    existing = Existing(str(theirs.kubeconfig), theirs.name, is_disposable=True, load_image=LOAD.repository)
    with start(Options(provider="existing", own=(existing,), artifacts="source")) as environment:
        for named, workers in ((None, 2), ("in-cluster:4", 4)):
            with sample_trial(environment, "canary", tmp_path / f"{workers}") as app:
                figures = abort_of_5xx(app, workers=named)
                answers = _collected(app.records(), workers)
            first = answers.where(~answers.having("reused", True))
            numbers(
                workers=workers,
                **figures,
                requests_in_the_cluster=f"{len(answers):,}",
                median=f"{latency_ms(answers, 0.5):.1f} ms",
                p99=f"{latency_ms(answers, 0.99):.1f} ms",
                connections=len(first),
                median_of_first_answers=f"{latency_ms(first, 0.5):.1f} ms",
                p99_of_first_answers=f"{latency_ms(first, 0.99):.1f} ms",
            )


def _collected(records: Recording, workers: int) -> Requests:
    """All requests, of which none was lost, and each of which a worker says that it has sent."""
    last = records.of(Status)[-1].workers
    assert {worker.state for worker in last.values()} == {"ended"}
    assert len(last) == workers
    assert sum(worker.sent for worker in last.values()) == len(records.requests)
    assert not np.any(records.requests.status == 0), "requests were lost"
    return records.requests


def _of(census: Census, namespace: str) -> set[str]:
    return {place for place in census if f"/{namespace}/" in place}


def _same(kube: Kube, before: Census) -> None:
    now = _census(kube)
    changed = [place for place in before.keys() | now.keys() if before.get(place) != now.get(place)]
    if changed:
        raise PendingError(f"changed: {', '.join(sorted(changed))}")


def _census(kube: Kube) -> Census:
    """Every object of every kind, by its path, without what says how and when it came to be as it is."""
    census: Census = {}
    for version in _versions(kube):
        with suppress(FiredampError):  # one that has just gone
            for resource in json.loads(kube.raw(version))["resources"]:
                plural = resource["name"]
                if "list" not in resource["verbs"] or plural in _OF_ITSELF:
                    continue
                for item in json.loads(kube.raw(f"{version}/{plural}"))["items"]:
                    metadata = item["metadata"]
                    place = f"{version}/{plural}/{metadata.get('namespace', '')}/{metadata['name']}"
                    census[place] = _essence(item)
    return census


def _versions(kube: Kube) -> list[str]:
    groups = json.loads(kube.raw("/apis"))["groups"]
    return ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]


def _essence(item: Object) -> Object:
    metadata = {
        key: value
        for key, value in item["metadata"].items()
        if key not in {"resourceVersion", "managedFields"}
    }
    return {key: value for key, value in item.items() if key != "status"} | {"metadata": metadata}
