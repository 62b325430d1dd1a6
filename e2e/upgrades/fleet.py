"""A fleet of Rollouts in one namespace, each under load, in the states that a release can be in."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.canary.routes import PROBE, probes
from e2e.upgrades.members import AT_REST, LONG, OWN, TWENTY, Member, asked
from e2e.upgrades.places import NEW, at_rest, in_place
from fixtures.apps.running import RunningApp
from fixtures.conditions.conditions import paused_at, preview_ready, promoted
from fixtures.conditions.expectation import Condition, all_of
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.plan import Stream
from loadgen.shapes import Constant

RATE = 3.0
"""Requests per second to each Rollout of twenty: enough for the rates that the analyses measure, and little
enough for 22 streams on a busy machine with two processors."""
_READY_SECONDS = 180
_IN_PLACE_SECONDS = 120
# For so long the controller must have written nothing of a Rollout that is promoted. Up to 1.9.3, when both
# write at the same time, it may take its own older state for the present one, and never see the promotion:
# https://github.com/argoproj/argo-rollouts/issues/4073, finding 22 in docs/findings.md.
_UNWRITTEN_SECONDS = 2
# Those whose release a person has to take on, and those that go on by themselves after so many seconds.
_BY_HAND, _BY_THEMSELVES = (
    ("endless", "probed", "background", "half", "before"),
    ("timed", "analysis", "trial", "soon"),
)
_PROMOTED = ("after", "within")
# Those at rest that get a release in the end, one of each way to divide the traffic.
_AFTERWARDS = ("ref", "ping", "blue")


class Fleet:
    """Rollouts at rest, and others whose releases are under way once `release` was called.

    Attributes:
        trial: The trial whose namespace they are in; its own Rollout is one of those at rest.
        apps: What acts on each of the others, by name.
        rate: Requests per second to each.
    """

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        members: Sequence[Member] = TWENTY,
        *,
        rate: float = RATE,
        replicas: int = 1,
        mesh: bool = False,
    ) -> None:
        """Describe a fleet in a cluster.

        Args:
            environment: The cluster.
            folder: The folder for the results of its trial.
            members: The Rollouts beside the trial's own.
            rate: Requests per second to each Rollout.
            replicas: The pods of each Rollout.
            mesh: Whether Istio injects a sidecar into each pod.
        """
        self.rate = rate
        self._replicas = replicas
        self._members = members
        self._manifests: dict[str, list[Object]] = {}
        self.trial: Trial = sample_trial(
            environment, "canary", folder, replicas=replicas, mesh=mesh, variant=self._join
        )
        self.apps = {
            member.name: RunningApp(
                environment.kube,
                self.trial.namespace,
                self.trial.timeline,
                member.name,
                image=self.trial.image,
            )
            for member in members
        }

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Send requests to each Rollout while the block runs, once all of them are ready."""
        self.trial.wait(at_rest(*self.apps), within=_READY_SECONDS)
        namespace, shape = self.trial.namespace, Constant(self.rate)
        also = [Stream(name, f"{name}.{namespace}", shape=shape) for name in self.apps]
        if "probed" in self.apps:
            headers = probes(self.trial, self.rate).headers
            also.append(Stream(PROBE, f"probed.{namespace}", headers=headers, shape=shape))
        with self.trial.traffic(self.rate, also=also):
            yield

    @property
    def streams(self) -> list[str]:
        """The names of all streams of load."""
        return [ACTIVE, *self.apps, *([PROBE] if "probed" in self.apps else [])]

    @property
    def places(self) -> dict[str, Condition]:
        """For each Rollout with a release under way, that it is where an upgrade is to meet it."""
        return {name: place for name, place in in_place().items() if name in self.apps}

    def release(self) -> None:
        """Release the new version to those that are to be under way; return when each is at its place."""
        for name in self._of(*_PROMOTED, *_BY_HAND):
            self.apps[name].deploy(NEW)
        for name in self._of("after"):
            self._promote(name)
        # From here on the clock runs: the rest goes on by itself after so many seconds.
        for name in self._of(*_BY_THEMSELVES):
            self.apps[name].deploy(NEW)
        for name in self._of("weight"):
            self._release_slowly(name)
        for name in self._of("within"):
            self._promote(name)
        self.trial.wait(all_of(*self.places.values()), within=_IN_PLACE_SECONDS)

    def returns(self) -> None:
        """Wait until each Rollout is where it was again, after something that was to disturb it."""
        self.trial.wait(self._undisturbed, within=_IN_PLACE_SECONDS)

    def stays(self, seconds: float) -> None:
        """Assert that each Rollout stays where it is for so many seconds."""
        self.trial.holds(self._undisturbed, for_=seconds)

    def go_on(self) -> None:
        """Promote what waits for a person, release to some of those at rest, and wait for all promotions."""
        for name in self._of(*_BY_HAND):
            self.apps[name].promote()
        for name in self._of(*_AFTERWARDS):
            self.apps[name].deploy(NEW)
        everything = [promoted(NEW, name=name) for name in self._of(*in_place(), *_AFTERWARDS)]
        self.trial.wait(all_of(*everything), within=LONG + _READY_SECONDS)

    @property
    def _undisturbed(self) -> Condition:
        resting = self._of(*(member.name for member in AT_REST))
        return all_of(at_rest(*resting), *self.places.values())

    def _of(self, *names: str) -> list[str]:
        return [name for name in names if name in self.apps]

    def _promote(self, name: str) -> None:
        """Promote a blue-green Rollout, once its preview is ready and its pause is written."""
        paused = all_of(preview_ready(NEW, service=f"{name}-preview", name=name), paused_at(name=name))
        self.trial.wait(paused, within=_IN_PLACE_SECONDS)
        self.trial.holds(paused, for_=_UNWRITTEN_SECONDS)
        self.apps[name].promote()

    def _release_slowly(self, name: str) -> None:
        """Release a version whose pods take long to be ready, so that the first weight waits for them."""
        (rollout,) = [each for each in self._manifests[name] if each["kind"] == "Rollout"]
        rollout = copy.deepcopy(rollout)
        (container,) = rollout["spec"]["template"]["spec"]["containers"]
        container["image"] = f"{self.trial.image}:{NEW}"
        container["readinessProbe"]["initialDelaySeconds"] = LONG
        self.apps[name].apply([rollout])

    def _join(self, objects: list[Object]) -> None:
        """Add the manifests of the others to those of the trial's own Rollout."""
        (own,) = [each for each in objects if each["kind"] == "Rollout"]
        namespace = own["metadata"]["namespace"]
        image = own["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[0]
        OWN(objects)
        objects.append(asked(namespace))
        self._manifests = {
            member.name: member.objects(namespace, image, self._replicas) for member in self._members
        }
        for each in self._manifests.values():
            objects.extend(each)
