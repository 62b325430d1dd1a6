"""`firedamp shell` and `firedamp logs` act on the cluster that they are told, and on no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fixtures.addons import rollouts
from fixtures.environment.environment import Environment
from fixtures.kube.client import pods_of
from fixtures.kube.kinds import NAMESPACE

Run = Callable[[str, Sequence[str]], subprocess.CompletedProcess[str]]


@pytest.fixture
def firedamp(environment: Environment) -> Run:
    """Runs a command of Firedamp on the session's cluster."""

    def run(command: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        # kubectl and its plugin may have to be made first.
        program = Path(sys.executable).with_name("firedamp")
        line = [str(program), command, f"--cluster={environment.cluster.name}", *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)

    return run


def test_kubectl_and_its_rollouts_plugin_act_on_the_cluster(firedamp: Run, environment: Environment) -> None:
    namespace = environment.kube.get(NAMESPACE, "kube-system")
    assert namespace is not None
    uid = ["kubectl", "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]
    shown = firedamp("shell", ["--", *uid])
    assert (shown.returncode, shown.stdout) == (0, namespace["metadata"]["uid"]), shown.stderr

    plugin = firedamp("shell", ["--", "kubectl", "argo", "rollouts", "list", "rollouts", "--all-namespaces"])
    assert plugin.returncode == 0, plugin.stderr
    assert "NAMESPACE" in plugin.stdout or "No resources found" in plugin.stdout + plugin.stderr


def test_the_exit_code_of_a_command_is_that_of_the_shell(firedamp: Run) -> None:
    assert firedamp("shell", ["--", "sh", "-c", "exit 7"]).returncode == 7


def test_the_log_of_an_add_on_is_that_of_its_pod(firedamp: Run, environment: Environment) -> None:
    (pod,) = pods_of(environment.kube, rollouts.NAMESPACE, "")
    shown = firedamp("logs", ["argo-rollouts", "--tail=3"])
    first, *lines = shown.stdout.splitlines()
    name = pod["metadata"]["name"]
    assert first == f"--- argo-rollouts: argo-rollouts of {name} (namespace {rollouts.NAMESPACE})"
    assert len(lines) == 4, shown.stdout
    assert all(line.startswith("time=") for line in lines[:3])
