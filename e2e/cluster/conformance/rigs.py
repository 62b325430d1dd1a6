"""The providers under test, by name."""

from __future__ import annotations

from collections.abc import Sequence

from e2e.cluster.conformance.existing import ExistingRig
from e2e.cluster.conformance.kind import KindRig
from e2e.cluster.conformance.native import NativeRig
from e2e.cluster.conformance.rig import Rig

RIGS: dict[str, type[Rig]] = {each.provider: each for each in (NativeRig, KindRig, ExistingRig)}


def restored(arguments: Sequence[str]) -> Rig:
    """The rig that another process has described by its `arguments`."""
    provider, *details = arguments
    return RIGS[provider](*details)
