"""A fault in the manifests is planted in each trial of the sample API."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.mutations.plugin import with_fault
from fixtures.environment.environment_for_test import environment_without_a_cluster
from fixtures.kube.client import Object
from fixtures.trial import sample


def test_a_fault_in_the_manifests_comes_after_what_a_scenario_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_without_a_cluster()
    done: list[str] = []

    def fault(objects: list[Object]) -> None:
        done.append(f"fault in {len(objects)} objects")

    def variant(objects: list[Object]) -> None:
        done.append(f"variant of {len(objects)} objects")
        objects[:] = [each for each in objects if each["kind"] == "Deployment"]

    monkeypatch.setattr(sample, "baseline", with_fault(fault))
    sample.sample_trial(environment, "deployment", tmp_path / "a").timeline.close()
    sample.sample_trial(environment, "deployment", tmp_path / "b", variant=variant).timeline.close()
    assert done[0].startswith("fault in ")
    assert done[1].startswith("variant of ")
    assert done[2:] == ["fault in 1 objects"]
