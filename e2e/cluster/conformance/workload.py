"""A workload for any cluster: one pod of the sample API, from an image that no node has yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import sample_app
from fixtures.addons.addon import available
from fixtures.artifacts.oci import catalog
from fixtures.artifacts.oci.image import write_archive
from fixtures.kube.client import Kube, Object
from fixtures.kube.kinds import DEPLOYMENT, POD
from fixtures.kube.wait import wait_for
from sample_app import bases, versions

NAMESPACE = "conformance"
NAME = "payments"
PORT = 80
_VERSION = "1.0"
_READY_SECONDS = 180


@dataclass(frozen=True)
class Workload:
    """The sample API under an image name of its own.

    Attributes:
        image: The name of the image.
        archive: The archive with the image.
    """

    image: str
    archive: Path

    @classmethod
    def make(cls, folder: Path, tag: str) -> Workload:
        """Write the archive of an image with this tag."""
        document = versions.of(_VERSION).version_json().encode()
        code = Path(sample_app.__file__).parent / "api"
        (image,) = catalog.payments({_VERSION: document}, code=code)
        named = replace(image, name=f"firedamp.dev/conformance:{tag}")
        write_archive([named], folder / "image.tar")
        return cls(named.name, folder / "image.tar")

    def run(self, kube: Kube) -> None:
        """Apply it, and return when its pod is ready."""
        kube.apply(_namespace(), *self._objects())
        what = f"deployment {NAMESPACE}/{NAME} available"
        wait_for(kube, DEPLOYMENT, NAME, NAMESPACE, available, what=what, timeout=_READY_SECONDS)

    def pod(self, kube: Kube) -> str:
        """The name of its pod."""
        (pod,) = kube.list(POD, NAMESPACE)[0]
        return str(pod["metadata"]["name"])

    def _objects(self) -> list[Object]:
        objects = bases.load("deployment", namespace=NAMESPACE, tag=_VERSION, replicas=1)
        # Without Istio's objects: there is no mesh.
        kept = [each for each in objects if each["kind"] in {"Deployment", "Service"}]
        for each in kept:
            if each["kind"] == "Deployment":
                spec = each["spec"]["template"]["spec"]
                spec["containers"][0] |= {"image": self.image, "imagePullPolicy": "Never"}
        return kept


def _namespace() -> Object:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
