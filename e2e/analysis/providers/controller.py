"""Gives the controller what two metric providers need: environment variables, and a plugin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from e2e.analysis.providers.servers import Servers
from fixtures.addons import metric_servers, rollouts
from fixtures.addons.addon import upgraded
from fixtures.addons.components import all_recipes
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import CONFIG_MAP, DEPLOYMENT
from fixtures.kube.wait import wait_for

_CONTROLLER = "argo-rollouts"
_CONFIG = "argo-rollouts-config"
_MOUNT = "/plugins"
_READY_SECONDS = 180


@contextmanager
def prepared(servers: Servers) -> Iterator[None]:
    """Restart the controller with CloudWatch's address and keys and with the plugin; put it back at the end.

    For some seconds the cluster has no controller, so no other test may use it at the same time.

    Raises:
        ConditionNotMetError: The controller is not available in time, such as when it cannot load the plugin.
    """
    kube = servers.environment.kube
    before = kube.get(DEPLOYMENT, _CONTROLLER, rollouts.NAMESPACE)
    assert before is not None, "no controller"
    template: Object = before["spec"]["template"]
    location = f"file://{_MOUNT}/{metric_servers.PLUGIN}"
    plugins = [{"name": "argoproj/sample-prometheus", "location": location}]
    try:
        _configure(kube, {"metricProviderPlugins": yaml.safe_dump(plugins)})
        _restart(kube, _changed(template, servers))
        yield
    finally:
        # In this order, because a controller does not start if a configured plugin is missing.
        _configure(kube, None)
        _restart(kube, template)


def _configure(kube: Kube, data: dict[str, str] | None) -> None:
    kube.patch(CONFIG_MAP, _CONFIG, rollouts.NAMESPACE, [{"op": "add", "path": "/data", "value": data or {}}])


def _restart(kube: Kube, template: Object) -> None:
    patch: list[Object] = [{"op": "replace", "path": "/spec/template", "value": template}]
    kube.patch(DEPLOYMENT, _CONTROLLER, rollouts.NAMESPACE, patch)
    wait_for(
        kube, DEPLOYMENT, _CONTROLLER, rollouts.NAMESPACE, upgraded,
        what="the controller available", timeout=_READY_SECONDS,
    )  # fmt: skip


def _changed(template: Object, servers: Servers) -> Object:
    changed: Object = json.loads(json.dumps(template))
    pod = changed["spec"]
    (container,) = pod["containers"]
    variables = {
        "AWS_ENDPOINT_URL": servers.url("cloudwatch"),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": servers.key,
        "AWS_SECRET_ACCESS_KEY": servers.key,
    }
    container["env"] = [
        *container.get("env", []),
        *({"name": name, "value": value} for name, value in variables.items()),
    ]
    container["volumeMounts"].append({"name": "metric-plugin", "mountPath": _MOUNT, "readOnly": True})
    # The plugin's image as a volume: its files can be read, and it is not run as a container.
    image = {
        "reference": metric_servers.METRIC_PLUGIN.reference(all_recipes().pins),
        "pullPolicy": "IfNotPresent",
    }
    pod["volumes"].append({"name": "metric-plugin", "image": image})
    return changed
