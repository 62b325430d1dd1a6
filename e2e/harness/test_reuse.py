"""Runs of pytest join a cluster that another process has started, at the same time, and leave it running."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.types import Report
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment, Options, start
from fixtures.kube.kinds import NAMESPACE

_SECONDS = 240
_GONE_SECONDS = 120
_TEST = """
def test_it(trial):
    with trial("deployment", replicas=1) as app:
        assert app.environment.is_joined
"""
_FAILING = """
def test_it(trial):
    with trial("deployment", replicas=1) as app:
        pass
    assert not app, "a verdict that fails"
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Environment]:
    with start(Options(name=f"reuse-{secrets.token_hex(3)}")) as environment:
        yield environment


def test_two_runs_share_a_cluster_and_leave_it_running(
    running: Environment, tmp_path: Path, numbers: Report
) -> None:
    runs = [_pytest(running, tmp_path / name, _TEST) for name in ("a", "b")]
    printed = [run.communicate(timeout=_SECONDS)[0] for run in runs]
    for text in printed:
        assert "1 passed" in text, text
    took = [float(each) for text in printed for each in re.findall(r"joined +([\d.]+) s", text)]
    assert len(took) == len(runs), printed
    until(lambda: _require_no_trial(running), what="end of all trials", timeout=_GONE_SECONDS, interval=0.5)
    numbers(joined_within=f"{max(took):.1f} s")


def test_another_version_than_the_cluster_has_is_refused(running: Environment, tmp_path: Path) -> None:
    run = _pytest(running, tmp_path / "a", _TEST, "--component-version=rollouts=v1.9.3")
    text = run.communicate(timeout=_SECONDS)[0]
    assert f"cluster {running.cluster.name} cannot be reused: " in text
    assert re.search(r"its rollouts is v[\d.]+, and v1\.9\.3 is asked for", text), text
    assert "1 error" in text


def test_the_namespace_of_a_failed_test_is_kept_and_named(running: Environment, tmp_path: Path) -> None:
    run = _pytest(running, tmp_path / "a", _FAILING, "--keep-on-failure")
    text = run.communicate(timeout=_SECONDS)[0]
    (namespace,) = re.findall(r"namespace (\S+) was kept", text)
    assert f"kubectl delete namespace {namespace}" in text
    kept = running.kube.get(NAMESPACE, namespace)
    assert kept
    assert "deletionTimestamp" not in kept["metadata"]
    running.kube.delete(NAMESPACE, namespace)


def _pytest(running: Environment, folder: Path, source: str, *options: str) -> subprocess.Popen[str]:
    folder.mkdir()
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:locust", "--rootdir", ".", "-c", "/dev/null"]
    reuse = ["--reuse", running.cluster.name, *options, "test_it.py"]
    return subprocess.Popen(
        [*command, *reuse], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _require_no_trial(running: Environment) -> None:
    names = [
        each["metadata"]["name"] for each in running.kube.list(NAMESPACE, selector="firedamp.dev/trial")[0]
    ]
    if names:
        raise PendingError(f"there are {', '.join(names)}")
