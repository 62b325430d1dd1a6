"""Starts the servers that metric providers ask, in a namespace of their own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from string import Template

import requests

from fixtures.addons import metric_servers, prometheus, rollouts
from fixtures.addons.addon import available
from fixtures.addons.components import all_recipes
from fixtures.addons.manifests import into_namespace, parse
from fixtures.artifacts.builder import Builder
from fixtures.artifacts.recipes import ARCHIVE
from fixtures.core import loopback
from fixtures.core.answering import until_answered
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.kube.client import Object
from fixtures.kube.kinds import DEPLOYMENT, NAMESPACE, SECRET, SERVICE
from fixtures.kube.provider import load_images
from fixtures.kube.wait import wait_for
from fixtures.trial.namespaces import namespace_of

_HERE = Path(__file__).parent
# InfluxDB compiles Flux's functions before it listens, which takes 3 s, or 20 s on a busy machine.
_READY_SECONDS = 180
# See saas/__main__.py. Nobody listens on the last port.
_CLOUDWATCH_PORTS = {"good": 8080, "wrong-key": 8081, "malformed": 8082, "down": 8083}
_ANSWERS = (
    ("saas", "/ready", "8080"),
    ("cloudwatch", "/ready", "8080"),
    ("html", "/", "log in"),
    ("influxdb", "/health", "pass"),
    ("graphite", "/health", "OK"),
    ("down", "/", ""),
)
_SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
# Common to all pods.
_POD = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": 1,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}


@dataclass(frozen=True)
class Servers:
    """The running servers.

    Attributes:
        environment: The cluster in which they run.
        namespace: The namespace of the servers.
        python: The name of an image that has Python.
        key: The key or password that all of them accept.
    """

    environment: Environment
    namespace: str
    python: str
    key: str

    def url(self, service: str) -> str:
        """The URL of a server in the cluster; `html` is a login page, `down` refuses connections."""
        return f"http://{service}.{self.namespace}"

    def secret(self, name: str, values: dict[str, str]) -> str:
        """Create a Secret in the controller's namespace for a provider; return its name."""
        full = f"{self.namespace}-{name}"
        labels = {"firedamp.dev/metric-servers": self.namespace}
        metadata = {"name": full, "namespace": rollouts.NAMESPACE, "labels": labels}
        self.environment.kube.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}
        )
        return full

    def switch_cloudwatch(self, case: str) -> None:
        """Point CloudWatch's address at the server for a case."""
        number = _CLOUDWATCH_PORTS[case]
        port = {"port": 80, "targetPort": number}
        self.environment.kube.patch(SERVICE, "cloudwatch", self.namespace, {"spec": {"ports": [port]}})
        self.wait_for_answer(
            "cloudwatch", "/ready", {"malformed": "log in", "down": ""}.get(case, str(number))
        )

    def wait_for_answer(self, service: str, path: str, text: str) -> None:
        """Wait until a Service leads to its pods: some time after they are Ready, or after it was changed.

        Args:
            service: The name of the Service.
            path: The path to request.
            text: Text that must be in the answer; if it is "", connections must be refused.
        """
        url = self.environment.cluster.url_of(service, self.namespace, 80) + path

        def says(answer: requests.Response) -> str:
            is_right = text in answer.text and answer.status_code < HTTPStatus.BAD_REQUEST
            return "" if is_right else f"HTTP {answer.status_code}: {answer.text[:80]}"

        if text:
            what = f"Service {service} answers {text!r}"
            until_answered(url, what=what, timeout=_READY_SECONDS, accept=says, interval=0.2, seconds=5)
        else:
            what = f"Service {service} refuses connections"
            until(lambda: _require_refused(url), what=what, timeout=_READY_SECONDS, interval=0.2)


def _require_refused(url: str) -> None:
    try:
        answer = loopback.get(url, timeout=5)
    except requests.Timeout as error:
        # Before the node knows the address, there is no answer at all, not even a refusal.
        raise PendingError(str(error)) from error
    except requests.RequestException:
        return
    raise PendingError(f"HTTP {answer.status_code}: {answer.text[:80]}")


@contextmanager
def running(environment: Environment) -> Iterator[Servers]:
    """Start the servers; at the end of the block, remove them and the Secrets.

    Raises:
        FiredampError: An image cannot be made or loaded, or a server is not ready in time.
    """
    kube, namespace = environment.kube, f"metrics-{secrets.token_hex(3)}"
    python = f"{environment.payments_image}:1.0"
    servers = Servers(environment, namespace, python, secrets.token_hex(16))
    made = Builder(all_recipes()).get(metric_servers.ARCHIVE)[metric_servers.ARCHIVE]
    load_images(environment.cluster, made / ARCHIVE)
    try:
        objects = _objects(servers)
        kube.apply(*objects)
        for name in (each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"):
            what = f"{name} available"
            wait_for(kube, DEPLOYMENT, name, namespace, available, what=what, timeout=_READY_SECONDS)
        for service, path, text in _ANSWERS:
            servers.wait_for_answer(service, path, text)
        yield servers
    finally:
        for secret in kube.list(SECRET, rollouts.NAMESPACE, f"firedamp.dev/metric-servers={namespace}")[0]:
            kube.delete(SECRET, secret["metadata"]["name"], rollouts.NAMESPACE)
        kube.delete(NAMESPACE, namespace)


def _objects(servers: Servers) -> list[Object]:
    pins = all_recipes().pins
    values = {
        "influxdb": metric_servers.INFLUXDB.reference(pins),
        "victoria_metrics": metric_servers.VICTORIA_METRICS.reference(pins),
        "python": servers.python,
        "prometheus": prometheus.ADDRESS,
        "key": servers.key,
        "other_key": secrets.token_hex(16),
    }
    text = Template((_HERE / "servers.yaml").read_text()).substitute(values)
    objects = into_namespace(parse(text, source="servers.yaml"), servers.namespace)
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            _complete(manifest["spec"]["template"]["spec"])
    return [namespace_of(servers.namespace), _code(servers.namespace), *objects]


def _complete(pod: Object) -> None:
    """Add to a pod what all pods of the servers have in common."""
    pod.update(_POD)
    (container,) = pod["containers"]
    container |= {"securityContext": _SECURE, "imagePullPolicy": "IfNotPresent"}
    container["resources"] = {"requests": {"cpu": "10m", "memory": "48Mi"}, "limits": {"memory": "512Mi"}}
    if container.get("command"):
        container["workingDir"] = "/stand-ins"
        container["volumeMounts"] = [{"name": "code", "mountPath": "/stand-ins/saas", "readOnly": True}]
        pod["volumes"] = [{"name": "code", "configMap": {"name": "saas"}}]


def _code(namespace: str) -> Object:
    """The package `saas` as a ConfigMap."""
    files = {path.name: path.read_text() for path in (_HERE / "saas").glob("*.py")}
    metadata = {"name": "saas", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files}
