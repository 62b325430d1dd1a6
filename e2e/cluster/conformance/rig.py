"""What the conformance suite needs to know of a provider, beside the contract that it is held to."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from fixtures.kube.provider import ClusterProvider
from fixtures.providers.native.traces import Trace
from fixtures.supervisor.registry import find


class Power(enum.Enum):
    """What some providers can do and others cannot."""

    LOADS_IMAGES = "its nodes can be given images"


class Rig(ABC):
    """One provider under test.

    Attributes:
        provider: Its name.
        powers: What it can do beyond what all can.
        gone_seconds: How long a cluster may stay after the process that asked for it was killed.
        arguments: By which another process can be told of this rig.
    """

    provider: ClassVar[str]
    powers: ClassVar[frozenset[Power]]
    gone_seconds: ClassVar[float]
    arguments: tuple[str, ...]

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why this machine cannot run it; "" if it can."""

    @classmethod
    @contextmanager
    @abstractmethod
    def ready(cls) -> Iterator[Rig]:
        """A rig with all that its clusters are made from. The clusters of two rigs can run side by side."""

    @abstractmethod
    def cluster(self, name: str) -> ClusterProvider:
        """A cluster without the stack, not started."""

    @abstractmethod
    def bring(self, archive: Path, cluster: ClusterProvider) -> None:
        """Have the cluster's nodes hold the images of an archive."""

    def traces(self, name: str) -> list[Trace]:
        """What is there of the cluster of that name, besides processes, and files in temporary folders."""
        return [Trace("file", str(found.layout.folder))] if (found := find(name)) else []
