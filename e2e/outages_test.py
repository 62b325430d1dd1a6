from __future__ import annotations

from typing import Any

import pytest

from e2e import outages
from fixtures.core.errors import ConditionNotMetError
from fixtures.kube.kinds import Kind

READY = {"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class Cluster:
    """A workload whose pods follow its size, unless they are stuck."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.pods = [READY]
        self.sizes: list[int] = []
        self._stuck = stuck

    def patch(self, _kind: Kind, _name: str, _namespace: str, patch: dict[str, Any]) -> None:
        self.sizes.append(patch["spec"]["replicas"])
        self.pods = [READY] if self._stuck or self.sizes[-1] else self.pods

    def list(self, _kind: Kind, _namespace: str, _selector: str) -> tuple[list[dict[str, Any]], str]:
        return self.pods, "1"

    def delete(self, _kind: Kind, _name: str, _namespace: str, *, grace: int) -> None:
        assert grace == 1
        self.pods = self.pods if self._stuck else []


def test_it_is_away_for_the_body_and_back_afterwards() -> None:
    cluster = Cluster()
    with outages.killed(cluster, "web", "shop", "app=web"):  # type: ignore[arg-type]
        assert not cluster.pods
    assert cluster.pods
    assert cluster.sizes == [0, 1]


def test_one_that_does_not_go_is_brought_back_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_GONE_SECONDS", 0.0)
    cluster = Cluster(stuck=True)
    with (
        pytest.raises(ConditionNotMetError, match="web gone"),
        outages.killed(cluster, "web", "shop", "app=web"),  # type: ignore[arg-type]
    ):
        pytest.fail("the body ran")
    assert cluster.sizes == [0, 1]
