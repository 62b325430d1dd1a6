"""Fixtures: a node without the stack, and clusters of only a control plane, which start twice as fast."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import pytest

from fixtures.addons.components import all_recipes
from fixtures.artifacts.builder import Builder
from fixtures.kube.kinds import SERVICE_ACCOUNT
from fixtures.kube.wait import wait_for
from fixtures.providers.native.config import NodeParts
from fixtures.providers.native.parts import NEEDS, node_parts
from fixtures.providers.native.provider import NativeCluster


class NewCluster(Protocol):
    def __call__(self, *, api_port: int = 0) -> NativeCluster: ...


@pytest.fixture(scope="session")
def parts(embedded_node: None) -> NodeParts:  # noqa: ARG001 - asked for what it refuses
    return node_parts(Builder(all_recipes()).get(*NEEDS))


@pytest.fixture(scope="package")
def node(parts: NodeParts) -> Iterator[NativeCluster]:
    """A running node."""
    cluster = NativeCluster(parts, name=f"node-{secrets.token_hex(3)}")
    try:
        cluster.start()
        cluster.wait_ready()
        # The API server refuses pods before the controller manager has created this account.
        what = "default service account"
        wait_for(cluster.kube, SERVICE_ACCOUNT, "default", "default", lambda _: None, what=what, timeout=120)
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def control_plane(parts: NodeParts) -> Iterator[NewCluster]:
    """Makes clusters of only etcd and an API server, not yet started, and stops them at the end."""
    made: list[NativeCluster] = []

    def make(*, api_port: int = 0) -> NativeCluster:
        only = replace(parts, store=None, only=("etcd", "kube-apiserver"))
        made.append(NativeCluster(only, name=f"plane-{secrets.token_hex(3)}", api_port=api_port))
        return made[-1]

    yield make
    for cluster in made:
        cluster.stop()
