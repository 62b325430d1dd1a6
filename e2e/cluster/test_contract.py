"""A real API server passes the same checks as `FakeKube`, on which unit tests rely."""

from __future__ import annotations

from e2e.cluster.conftest import NewCluster
from fixtures.kube.contract_for_test import CONTRACT


def test_an_api_server_does_as_the_fake_does(control_plane: NewCluster) -> None:
    cluster = control_plane()
    cluster.start()
    for check in CONTRACT:
        check(cluster.kube)
