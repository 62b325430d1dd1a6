"""Fixtures: a node without the stack, and clusters of only a control plane, which start twice as fast."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import pytest

from fixtures.providers.existing.rig import base
from fixtures.providers.native import rig
from fixtures.providers.native.config import NodeParts
from fixtures.providers.native.provider import NativeCluster


class NewCluster(Protocol):
    def __call__(self, *, api_port: int = 0) -> NativeCluster: ...


@pytest.fixture(scope="session")
def parts(embedded_node: None) -> NodeParts:  # noqa: ARG001 - asked for what it refuses
    return rig.parts()


@pytest.fixture(scope="package")
def node(parts: NodeParts) -> Iterator[NativeCluster]:
    """A running node."""
    with base(parts) as cluster:
        yield cluster


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
