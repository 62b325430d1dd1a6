"""The Rollouts of a fleet: one of each strategy at rest, and one in each state that a release can be in.

Each is the sample API with one pod, changed by a variant and then renamed: all are in one namespace.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass

from e2e import variants
from e2e.bluegreen.strategy import analysis, blue_green
from e2e.canary.experiments import side_by_side
from e2e.canary.routes import WITH_HEADER, steps_with_routes
from e2e.canary.subsets import split_by_subset
from e2e.types import Variant
from fixtures.addons import prometheus
from fixtures.kube.client import Object
from sample_app import bases

LONG = 120
"""How many seconds what ends by itself takes, so that an upgrade and a rollback fall into it."""
_SHORT = "2s"
_ASKED = "answers"
_REST = variants.canary_steps(50, _SHORT)
_SHARED = ("AnalysisTemplate", "Gateway")
# Names that are not those of the app: the Gateway is shared, and all have the same image.
_KEPT = ("gateways", "image")
_NAME = re.compile(rf"(?<![\w/]){bases.NAME}(?!\w)")


@dataclass(frozen=True)
class Member:
    """A Rollout of the fleet.

    Attributes:
        name: Its name, and that of its stream of load.
        variant: Changes the manifests of the base.
        base: The strategy: `canary` or `bluegreen`.
    """

    name: str
    variant: Variant
    base: str = "canary"

    def objects(self, namespace: str, image: str, replicas: int = 1) -> list[Object]:
        """Its objects, without those that all members share."""
        objects = bases.load(self.base, namespace=namespace, tag="1.0", replicas=replicas, image=image)
        patient(objects)
        self.variant(objects)
        own = [each for each in objects if each["kind"] not in _SHARED]
        return [_renamed(each, self.name) for each in own]


def patient(objects: list[Object]) -> None:
    """So many pods that start at once take their time on a busy machine; none is to be given up for it."""
    variants.spec_of(objects)["progressDeadlineSeconds"] = 600


def _without_router(objects: list[Object]) -> None:
    """One Service for both versions, so that the share is that of the pods."""
    split_by_subset(objects)
    objects.remove(variants.manifest_of(objects, "DestinationRule"))
    del variants.strategy_of(objects)["trafficRouting"]
    (route,) = variants.manifest_of(objects, "VirtualService")["spec"]["http"]
    route["route"] = [{"destination": {"host": bases.NAME, "port": {"number": 80}}}]


def _referring(objects: list[Object]) -> None:
    """The pod template is that of a Deployment without pods, to which the Rollout refers."""
    spec = variants.spec_of(objects)
    namespace = variants.manifest_of(objects, "Rollout")["metadata"]["namespace"]
    deployed = {"replicas": 0, "selector": spec["selector"], "template": spec.pop("template")}
    metadata = {"name": bases.NAME, "namespace": namespace}
    spec["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": bases.NAME}
    objects.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployed})


def _ping_pong(objects: list[Object]) -> None:
    """Two Services that take turns as that of the stable version."""
    strategy = variants.strategy_of(objects)
    roles = {"pingService": strategy.pop("stableService"), "pongService": strategy.pop("canaryService")}
    strategy["pingPong"] = roles


def _dynamic(objects: list[Object]) -> None:
    variants.strategy_of(objects)["dynamicStableScale"] = True


def _canary(name: str, *changes: Variant) -> Member:
    return Member(name, variants.combined(variants.without_analysis, *changes))


def _steps(*steps: int | str | Object | None) -> Variant:
    return variants.canary_steps(*steps, 60, _SHORT)


def _measured() -> Object:
    """A step that measures each second whether the new version answers requests, for as long as `LONG`."""
    return {"analysis": variants.analysis(_ASKED)}


def _side_by_side() -> Object:
    """A step in which the same is measured of a pod of each version in an Experiment."""
    step = side_by_side(weight=20, measurements=LONG)
    for each in step["experiment"]["analyses"]:
        each["templateName"] = _ASKED
        each["args"] = [one for one in each["args"] if one["name"] != "count"]
    return step


def asked(namespace: str) -> Object:
    """The AnalysisTemplate of these steps, which bears that a busy machine scrapes late, but no failure."""
    labels = 'namespace="{{args.namespace}}", rollouts_pod_template_hash="{{args.pod-hash}}"'
    metric = {
        "name": _ASKED,
        "interval": "1s",
        "count": LONG,
        "inconclusiveLimit": LONG // 2,
        # Until a second request comes to a new pod, its rate is 0; of one that answers no more it stays so.
        "failureLimit": 3,
        "successCondition": "len(result) > 0 && result[0] > 0",
        "failureCondition": "len(result) > 0 && result[0] == 0",
        "provider": {
            "prometheus": {
                "address": prometheus.ADDRESS,
                "query": f"sum(rate(http_requests_total{{{labels}}}[30s]))",
            }
        },
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": _ASKED, "namespace": namespace},
        "spec": {"args": [{"name": "namespace"}, {"name": "pod-hash"}], "metrics": [metric]},
    }


OWN = variants.combined(patient, variants.judged_by("success-rate"), _REST)
"""What the trial's own Rollout has: Services, and an analysis in the background."""

AT_REST: Sequence[Member] = (
    _canary("services", _REST),
    _canary("subsets", split_by_subset, _REST),
    _canary("basic", _without_router, _REST),
    _canary("ref", _referring, _REST),
    _canary("header", steps_with_routes({"setCanaryScale": {"replicas": 1}}, WITH_HEADER, 50, _SHORT)),
    _canary("ping", _ping_pong, _REST),
    _canary("dynamic", _dynamic, _REST),
    Member("blue", blue_green(autoPromotionEnabled=True, scaleDownDelaySeconds=2), "bluegreen"),
    Member(
        "smoked",
        variants.combined(
            blue_green(autoPromotionEnabled=True, scaleDownDelaySeconds=2), analysis("postPromotionAnalysis")
        ),
        "bluegreen",
    ),
)
"""Nine Rollouts that are Healthy and have nothing to do; the trial's own is the tenth."""

IN_A_STEP: Sequence[Member] = (
    _canary("weight", _steps(20)),
    _canary("timed", _steps(20, f"{LONG}s")),
    _canary("endless", _steps(30, None)),
    _canary("analysis", _steps(50, _measured())),
    _canary(
        "probed",
        steps_with_routes({"setCanaryScale": {"replicas": 1}}, WITH_HEADER, None, 60, _SHORT),
    ),
    _canary("trial", _steps(_side_by_side())),
)
"""A canary in each kind of step."""

IN_A_WINDOW: Sequence[Member] = (
    Member("before", blue_green(scaleDownDelaySeconds=2), "bluegreen"),
    Member(
        "soon",
        blue_green(autoPromotionEnabled=True, autoPromotionSeconds=LONG, scaleDownDelaySeconds=2),
        "bluegreen",
    ),
    Member("within", blue_green(scaleDownDelaySeconds=LONG), "bluegreen"),
    Member("after", blue_green(scaleDownDelaySeconds=2), "bluegreen"),
)
"""A blue-green before its switch, by hand or by time, and within and after the window for going back."""


TWENTY = (*AT_REST, *IN_A_STEP, *IN_A_WINDOW)
"""All of them; with the trial's own, twenty."""

MEASURED: Sequence[Member] = (
    *(member for member in IN_A_STEP if member.name in {"analysis", "trial"}),
    Member(
        "background",
        variants.combined(variants.judged_by("success-rate"), variants.canary_steps(30, None, 60, _SHORT)),
    ),
)
"""Those that Prometheus measures: in a step, in an Experiment, and in the background of a pause."""

UNDER_KUBERNETES = [member for member in TWENTY if member.name in {"services", "endless", "before"}]
"""Those that meet another Kubernetes: at rest, in a pause, and before a blue-green switch."""

MESHED: Sequence[Member] = (
    *(member for member in TWENTY if member.name in {"subsets", "before"}),
    # Two pods of each version, so that one of them may be replaced while the other answers.
    _canary("half", _steps({"setCanaryScale": {"replicas": 2}}, 50, None)),
)
"""Those whose sidecars are replaced: at rest, before a blue-green switch, and in a canary's pause."""


def _renamed(value: object, name: str, key: str = "") -> Object:
    """A copy of a manifest, or a part of it, in which the app has another name."""
    renamed: object = copy.copy(value)
    if isinstance(value, dict):
        renamed = {each: _renamed(item, name, each) for each, item in value.items()}
    elif isinstance(value, list) and key not in _KEPT:
        renamed = [_renamed(item, name, key) for item in value]
    elif isinstance(value, str) and key not in _KEPT:
        renamed = _NAME.sub(name, value)
    return renamed  # type: ignore[return-value]
