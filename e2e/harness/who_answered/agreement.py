"""Compares the version and the pod that a recording gives for each answer with what the app itself says.

The sample API names its version and its pod in each answer. A recording does not use that: it knows who
answered from the address that the gateway adds, and from the addresses of the recorded pods. So both must
agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.records import Request

_MOST_SHOWN = 3


@dataclass(frozen=True)
class Agreement:
    """What a comparison found.

    Attributes:
        agreeing: How many answers name the version and the pod that the recording gives.
        differing: The answers that name others, and those of the gateway that name any.
        unknown: The answers of a pod of which the recording does not know which it was.
        untold: The answers that have the app's header, and not the gateway's.
        pods: The pods of the answers that agree.
        versions: Their versions.
    """

    agreeing: int
    differing: list[Request]
    unknown: list[Request]
    untold: list[Request]
    pods: frozenset[str]
    versions: frozenset[str]

    def require(self) -> None:
        """Assert that no answer differs."""
        assert not self.differing, f"{self._of(self.differing)} name another pod or version: " + "; ".join(
            f"at {each.t:.3f} {each.upstream} was {each.version} {each.pod}, flags {each.flags}, and it says "
            f"{each.claimed} {each.claimed_pod}"
            for each in self.differing[:_MOST_SHOWN]
        )

    def require_all(self) -> None:
        """Assert that it is known of each answer who gave it, by the gateway, and that none differs."""
        self.require()
        for others, what in (
            (self.unknown, "of an unknown pod"),
            (self.untold, "without the gateway's word"),
        ):
            shown = "; ".join(f"at {each.t:.3f} from {each.upstream}" for each in others[:_MOST_SHOWN])
            assert not others, f"{self._of(others)} {what}: {shown}"

    def _of(self, some: list[Request]) -> str:
        return f"{len(some):,} answers, beside {self.agreeing:,} that agree,"


def compare(requests: Iterable[Request]) -> Agreement:
    """Compare all answers of the sample API; requests without an answer have nothing to compare."""
    agreeing, differing, unknown, untold = list[Request](), list[Request](), list[Request](), list[Request]()
    for request in requests:
        is_told = request.upstream is not None or request.flags is not None
        if request.claimed is None:
            # An answer of the gateway, or of a sidecar in front of the app.
            continue
        if not is_told:
            untold.append(request)
        elif not request.is_by_proxy and request.version is None:
            unknown.append(request)
        elif (_tag(request), request.pod) == (request.claimed, request.claimed_pod):
            agreeing.append(request)
        else:
            differing.append(request)
    return Agreement(
        len(agreeing),
        differing,
        unknown,
        untold,
        frozenset(str(each.pod) for each in agreeing),
        frozenset(str(each.version) for each in agreeing),
    )


def _tag(request: Request) -> str:
    """The image tag in the version, which also names the workload if that is not the app's."""
    return (request.version or "").rpartition(":")[2]
