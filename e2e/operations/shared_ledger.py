"""A ledger service that all versions of the app depend on, and that is not part of the Rollout."""

from __future__ import annotations

import copy

from e2e.variants import judged_by, manifest_of, spec_of
from fixtures.conditions.conditions import deployment_available
from fixtures.kube.client import Object
from fixtures.kube.kinds import DEPLOYMENT
from fixtures.trial.trial import Trial
from sample_app.versions import IMAGE

NAME = "ledger"
_VERSION, _BROKEN = "1.0", "1.2-5xx"
_READY_SECONDS = 60


def with_shared_ledger(objects: list[Object]) -> None:
    """Add the ledger, another instance of the sample API, and tell the app where it is."""
    rollout = manifest_of(objects, "Rollout")
    spec = spec_of(objects)
    (container,) = spec["template"]["spec"]["containers"]
    namespace = rollout["metadata"]["namespace"]
    labels = {"app": NAME}
    template = copy.deepcopy(spec["template"])
    template["metadata"] = {"labels": labels}
    template["spec"]["containers"][0]["image"] = (
        f"{container['image'].rpartition(':')[0] or IMAGE}:{_VERSION}"
    )
    metadata = {"name": NAME, "namespace": namespace}
    pods = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    objects += [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": pods},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": ports},
        },
    ]
    # Latency is not judged: requests wait for the ledger, which says nothing about the version.
    judged_by("success-rate")(objects)
    container["env"] = [*container["env"], {"name": "PAYMENTS_LEDGER_URL", "value": f"http://{NAME}"}]


def wait_for_ledger(app: Trial) -> None:
    """Wait until the ledger serves."""
    app.wait(deployment_available(_VERSION, name=NAME), within=_READY_SECONDS)


def break_ledger(app: Trial) -> None:
    """Update the ledger to a version that answers 500, and return when it is available."""
    image = f"{app.image}:{_BROKEN}"
    path = "/spec/template/spec/containers/0/image"
    app.kube.patch(DEPLOYMENT, NAME, app.namespace, [{"op": "replace", "path": path, "value": image}])
    app.wait(deployment_available(_BROKEN, name=NAME), within=_READY_SECONDS)
