"""A client in the cluster that creates payments over one connection, which it keeps open."""

from __future__ import annotations

from fixtures.core.retry import PendingError
from fixtures.kube.client import Object
from fixtures.kube.errors import KubeError
from fixtures.trial.trial import Trial

_NAME = "client"
# It prints a line for each answer: when it came, and from which version. The node has the same
# CLOCK_MONOTONIC as this host.
_PROGRAM = """
import http.client, json, time
order = json.dumps({"amount": 1, "currency": "EUR", "payee": "kept connection"})
connection = http.client.HTTPConnection("payments-active", timeout=30)
while True:
    try:
        connection.request("POST", "/payments", order)
        answer = connection.getresponse()
        answer.read()
        print(f"{time.monotonic():.3f} {answer.headers['x-version']}", flush=True)
    except (OSError, http.client.HTTPException) as error:
        print(f"{time.monotonic():.3f} - {error}", flush=True)
        connection.close()
    # About 20 writes a second, so the time of the last write to a version is known to about 50 ms.
    time.sleep(0.05)
"""


def with_client(objects: list[Object]) -> None:
    """Add the client to the manifests of a trial, so that it runs from the beginning."""
    (rollout,) = [manifest for manifest in objects if manifest["kind"] == "Rollout"]
    template = rollout["spec"]["template"]["spec"]
    (container,) = template["containers"]
    client = {
        "name": _NAME,
        "image": container["image"],
        "command": ["python3", "-c", _PROGRAM],
        "securityContext": container["securityContext"],
        "resources": container["resources"],
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": template["securityContext"],
        "containers": [client],
    }
    metadata = {"name": _NAME, "namespace": rollout["metadata"]["namespace"]}
    objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def first_answer(app: Trial) -> None:
    """Return once a version has answered the client. Raises PendingError before that."""
    try:
        received = answers(app)
    except KubeError as error:
        raise PendingError(f"its log cannot be read yet: {error.message}") from error
    if all(version == "-" for _, version in received):
        raise PendingError(f"{len(received)} tries without an answer")


def answers(app: Trial) -> list[tuple[float, str]]:
    """When the client got an answer, in Unix seconds, and from which version; "-" for an error."""
    lines = app.kube.logs(_NAME, app.namespace, _NAME).splitlines()
    at = app.timeline.epoch.at
    return [(at(float(line.split()[0])), line.split()[1]) for line in lines]
