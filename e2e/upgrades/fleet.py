"""A fleet of Rollouts in one namespace, each under load, in all states that a release can be in."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.canary.routes import PROBE, probes
from e2e.upgrades.members import AT_REST, IN_A_STEP, IN_A_WINDOW, LONG, OWN, asked
from e2e.upgrades.places import NEW, at_rest, in_place
from fixtures.apps.running import RunningApp
from fixtures.conditions.conditions import paused_at, preview_ready, promoted
from fixtures.conditions.expectation import all_of
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import ACTIVE, Trial
from loadgen.plan import Stream
from loadgen.shapes import Constant

RATE = 5.0
"""Requests per second to each Rollout: enough for the rates that the analyses measure."""
_READY_SECONDS = 180
_IN_PLACE_SECONDS = 120
# Those at rest that get a release in the end, one of each way to divide the traffic.
_AFTERWARDS = ("ref", "ping", "blue")
_EVERYTHING = (*AT_REST, *IN_A_STEP, *IN_A_WINDOW)


class Fleet:
    """Twenty Rollouts: ten at rest, and ten whose releases are under way once `release` was called.

    Attributes:
        trial: The trial whose namespace they are in; its own Rollout is one of those at rest.
        apps: What acts on each of the others, by name.
        resting: The names of those at rest, without the trial's own.
    """

    def __init__(self, environment: Environment, folder: Path) -> None:
        """Describe a fleet in a cluster, with a folder for the results of its trial."""
        self._manifests: dict[str, list[Object]] = {}
        self.resting = [member.name for member in AT_REST]
        self.trial: Trial = sample_trial(environment, "canary", folder, replicas=1, variant=self._join)
        self.apps = {
            member.name: RunningApp(
                environment.kube,
                self.trial.namespace,
                self.trial.timeline,
                member.name,
                image=self.trial.image,
            )
            for member in _EVERYTHING
        }

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Send requests to each Rollout while the block runs, once all of them are ready."""
        self.trial.wait(at_rest(*self.apps), within=_READY_SECONDS)
        namespace, shape = self.trial.namespace, Constant(RATE)
        also = [Stream(name, f"{name}.{namespace}", shape=shape) for name in self.apps]
        probe = Stream(PROBE, f"probed.{namespace}", headers=probes(self.trial, RATE).headers, shape=shape)
        with self.trial.traffic(RATE, also=[*also, probe]):
            yield

    @property
    def streams(self) -> list[str]:
        """The names of all streams of load."""
        return [ACTIVE, PROBE, *self.apps]

    def release(self) -> None:
        """Release the new version to those that are to be under way; return when each is at its place."""
        for name in ("before", "after", "within"):
            self.apps[name].deploy(NEW)
        self.apps["endless"].deploy(NEW)
        self.apps["probed"].deploy(NEW)
        self._promote("after")
        # From here on the clock runs: the rest goes on by itself after so many seconds.
        for name in ("timed", "analysis", "trial", "soon"):
            self.apps[name].deploy(NEW)
        self._release_slowly("weight")
        self._promote("within")
        self.trial.wait(all_of(*in_place().values()), within=_IN_PLACE_SECONDS)

    def stays(self, seconds: float) -> None:
        """Assert that each Rollout stays where it is for so many seconds."""
        self.trial.holds(all_of(at_rest(*self.resting), *in_place().values()), for_=seconds)

    def go_on(self) -> None:
        """Promote what waits for a person, release to some of those at rest, and wait for all promotions."""
        for name in ("endless", "probed", "before"):
            self.apps[name].promote()
        for name in _AFTERWARDS:
            self.apps[name].deploy(NEW)
        names = [*in_place(), *_AFTERWARDS]
        everything = [promoted(NEW, name=name) for name in names]
        self.trial.wait(all_of(*everything), within=LONG + _READY_SECONDS)

    def _promote(self, name: str) -> None:
        """Promote a blue-green Rollout, once its preview is ready."""
        preview = preview_ready(NEW, service=f"{name}-preview", name=name)
        self.trial.wait(all_of(preview, paused_at(name=name)), within=_IN_PLACE_SECONDS)
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
        self._manifests = {member.name: member.objects(namespace, image) for member in _EVERYTHING}
        for each in self._manifests.values():
            objects.extend(each)
