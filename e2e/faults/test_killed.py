"""A fault ends although its test process is killed in its middle, in a cluster that goes on."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.faults.victim import BEGUN, FAULTS, REPLICAS
from e2e.types import Report
from fixtures.addons import prometheus, rollouts
from fixtures.apps.manifest import dig
from fixtures.core.process import spawn
from fixtures.core.retry import PendingError, until
from fixtures.docs.markdown import ROOT
from fixtures.environment.environment import Environment, Options, start
from fixtures.faults.leases import find_lease
from fixtures.faults.targets import live, processes_of, workload_of
from fixtures.kube.client import Object
from fixtures.kube.errors import KubeError
from fixtures.kube.kinds import CONFIG_MAP, LEASE, NAMESPACE, ROLLOUT, Kind
from fixtures.kube.times import unix
from fixtures.trial.leftovers import TRIAL_LABEL

pytestmark = [pytest.mark.usefixtures("embedded_node"), pytest.mark.scenario("fault-4")]

_BEGUN_SECONDS, _SEEN_SECONDS, _OVER_SECONDS, _INSIDE_SECONDS = 90.0, 20.0, 120.0, 20.0
_FAR_S = 600.0
_OUR_RULES = tuple(f"-A {chain} -{way}" for chain in ("INPUT", "OUTPUT", "FORWARD") for way in "sd")
_SCALED = (("argo-rollouts", rollouts.NAMESPACE), (prometheus.SERVICE, prometheus.NAMESPACE))
_GROUP = "admissionregistration.k8s.io/v1"
_REFUSING = (
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
)
# Processes that stand still, and servers in the node.
_PROCESSES = """\
grep -l '^State:.T' /proc/[0-9]*/status 2>/dev/null | sort
for file in /proc/[0-9]*/cmdline; do
  tr '\\0' ' ' < "$file" 2>/dev/null | grep -qE 'fixtures[.]faults[.](refuser|delayer)' && echo "$file"
done
true
"""


@dataclass
class Running:
    """A cluster that other processes use, and its state before any fault."""

    environment: Environment
    before: dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with start(Options(name=f"killed-{secrets.token_hex(3)}")) as environment:
        yield Running(environment, _state(environment))


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_left_of_a_fault_whose_process_is_killed_in_its_middle(
    running: Running, tmp_path: Path, numbers: Report, fault: str
) -> None:
    environment = running.environment
    with _begun(environment.cluster.name, fault, tmp_path):
        # An API server that stands still answers nobody.
        if fault != "freeze-api-server":
            until(lambda: _require_changed(running), what=f"{fault} seen", timeout=_SEEN_SECONDS)
    killed = time.monotonic()
    until(lambda: _require_as_before(running), what=f"end of {fault}", timeout=_OVER_SECONDS, interval=0.5)
    numbers(**{f"{fault}: all as before": f"{time.monotonic() - killed:.1f} s after the kill"})
    for trial in environment.kube.list(NAMESPACE, selector=TRIAL_LABEL)[0]:
        environment.kube.delete(NAMESPACE, trial["metadata"]["name"])


@contextmanager
def _begun(cluster: str, fault: str, folder: Path) -> Iterator[None]:
    """A process that has begun the fault while the body runs, and is killed at its end."""
    log, module = folder / "log", [sys.executable, "-m", "e2e.faults.victim"]
    process = spawn([*module, cluster, fault, folder / "trial"], log=log, cwd=ROOT)

    def check() -> None:
        said = log.read_text()
        assert process.poll() is None, said
        if BEGUN not in said.splitlines():
            raise PendingError(said[-200:])

    try:
        until(check, what=f"{fault} begun", timeout=_BEGUN_SECONDS)
        yield
    finally:
        process.kill()
        process.wait()


def _require_changed(running: Running) -> None:
    if _state(running.environment) == running.before:
        raise PendingError("nothing has changed of what is looked at")


def _require_as_before(running: Running) -> None:
    try:
        now = _state(running.environment)
    except KubeError as error:
        raise PendingError(str(error)) from error
    if different := {name: each for name, each in now.items() if each != running.before[name]}:
        raise PendingError(str(different))


def _state(environment: Environment) -> dict[str, Any]:
    """What a fault may change of a cluster: rules, processes, settings, a leader, and the pods of apps."""
    kube, node = environment.kube, processes_of(environment.cluster, "its state")
    controller = workload_of(environment.stack, "argo-rollouts")
    lease = find_lease(kube, controller)
    renewed = dig(kube.get(LEASE, lease, controller.namespace), "spec", "renewTime") if lease else ""
    return {
        "rules": [each for each in node.iptables("-S").splitlines() if each.startswith(_OUR_RULES)],
        "room": int(node.inside(["df", "--output=size", "/run"], timeout=_INSIDE_SECONDS).split()[-1]),
        "processes": node.inside(["sh", "-c", _PROCESSES], timeout=_INSIDE_SECONDS),
        "sizes": [_size(kube.get(controller.kind, name, namespace)) for name, namespace in _SCALED],
        "environment": [
            each.get("env") for each in live(kube, controller)["spec"]["template"]["spec"]["containers"]
        ],
        "targets": [each.get("data") for each in kube.list(CONFIG_MAP, prometheus.NAMESPACE)[0]],
        "refusing": [
            each["metadata"]["name"] for kind in _REFUSING for each in kube.list(Kind(_GROUP, kind))[0]
        ],
        "a pod leads": bool(lease),
        "its clock is right": bool(renewed) and abs(unix(str(renewed)) - time.time()) < _FAR_S,
        "apps": {_size(each) for each in kube.list(ROLLOUT)[0]} - {REPLICAS},
    }


def _size(workload: Object | None) -> int:
    return int(dig(workload, "spec", "replicas") or 0)
