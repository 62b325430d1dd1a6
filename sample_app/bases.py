"""Loads the kustomize bases as objects, for a namespace and a version, without kustomize.

It supports only what these bases use of kustomize, and refuses everything else: `resources`
(files and folders), `namespace`, `images` with a new tag, and `replacements` of one
segment of a field by the namespace. A test compares the result with that of kustomize.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

from fixtures.core.documents.file import read_text
from fixtures.core.documents.yaml_text import documents
from fixtures.core.errors import FiredampError
from fixtures.core.objects import Object
from fixtures.core.schema import shaped

MANIFESTS = Path(__file__).parent / "manifests"
STRATEGIES = ("deployment", "canary", "bluegreen")
ISTIO, NGINX, TRAEFIK = "istio", "nginx", "traefik"
ROUTERS = (ISTIO, NGINX, TRAEFIK)
"""What can divide the traffic of a base: Istio, for which the bases are written, or another router."""
NAME = "payments"
"""The name of the Deployment or Rollout of each base."""
PATH = "/payments"
"""The path at which the API of each base answers."""

_HINT = "correct the manifest there"
_OF_ISTIO = {"Gateway", "VirtualService"}
# The host in the manifests of another router; those of Istio end in the namespace by a `replacement`.
_EXAMPLE = f"{NAME}.example"
# What a canary's `trafficRouting` has for another router.
_ROUTING = {
    NGINX: {"stableIngress": NAME},
    TRAEFIK: {"weightedTraefikServiceName": NAME},
}
_WORKLOADS = {"Deployment", "Rollout"}


class _Metadata(TypedDict, total=False):
    name: str | None
    namespace: str | None


class _Manifest(TypedDict, total=False):
    metadata: _Metadata | None
    resources: list[str] | None
    images: list[dict[str, str]]
    replacements: list[dict[str, Any]]


class _Container(TypedDict):
    name: str
    image: str


class _PodSpec(TypedDict, total=False):
    containers: list[_Container] | None


class _Template(TypedDict, total=False):
    spec: _PodSpec | None


class _Spec(TypedDict, total=False):
    template: _Template | None


class _Workload(_Manifest, total=False):
    spec: _Spec | None


_NESTED_KEYS = {"apiVersion", "kind", "resources"}
_KEYS = _NESTED_KEYS | {"namespace", "images", "replacements"}


def load(
    strategy: str,
    *,
    namespace: str,
    tag: str,
    replicas: int | None = None,
    image: str = "",
    router: str = ISTIO,
    manifests: Path = MANIFESTS,
) -> list[Object]:
    """Return the objects of a base, ready to be applied.

    Args:
        strategy: One of `STRATEGIES`.
        namespace: The namespace of the objects; host names end in it (`payments.<namespace>`).
        tag: The image's tag. It need not exist, because some scenarios deploy a tag that has no image.
        replicas: The number of pods of the Deployment or Rollout; by default as in the base.
        image: The image's repository; by default as in the base.
        router: One of `ROUTERS`. The objects of another router than Istio take the place of Istio's.
        manifests: The folder of the bases.

    Raises:
        FiredampError: The strategy or the router is unknown, or a manifest is malformed; then it names file
            and line.
    """
    if router not in ROUTERS:
        raise FiredampError(f"no manifests for the router {router!r}", hint=f"known: {', '.join(ROUTERS)}")
    if strategy not in STRATEGIES:
        raise FiredampError(
            f"no manifests for {strategy!r}", hint=f"known strategies: {', '.join(STRATEGIES)}"
        )
    folder = manifests / strategy
    kustomization = _kustomization(folder, _KEYS)
    objects = list(_resources(folder, kustomization))
    if router != ISTIO:
        objects = _routed_by(router, strategy, objects, namespace, manifests)
    for item in objects:
        item["metadata"]["namespace"] = namespace
        names = [entry["name"] for entry in kustomization.get("images", [])]
        images = {name: f"{image or name}:{tag}" for name in names}
        _set_workload(item, images, replicas)
    for replacement in kustomization.get("replacements", []):
        for target in replacement["targets"]:
            _replace(objects, target, namespace)
    return objects


def _routed_by(
    router: str, strategy: str, objects: list[Object], namespace: str, manifests: Path
) -> list[Object]:
    """The objects with those of another router in the place of Istio's."""
    own = list(_documents(manifests / router / f"{strategy}.yaml"))
    for ingress in own:
        host = f"{NAME}.{namespace}"
        for route in ingress["spec"].get("routes", []):
            route["match"] = route["match"].replace(_EXAMPLE, host)
        for rule in ingress["spec"].get("rules", []):
            rule["host"] = rule["host"].replace(_EXAMPLE, host)
    for item in objects:
        canary = (item["spec"].get("strategy") or {}).get("canary") if item["kind"] == "Rollout" else None
        if canary and "trafficRouting" in canary:
            canary["trafficRouting"] = {router: dict(_ROUTING[router])}
    return [*(each for each in objects if each["kind"] not in _OF_ISTIO), *own]


def _kustomization(folder: Path, supported: set[str]) -> Object:
    file = folder / "kustomization.yaml"
    kustomization = next(_documents(file), {})
    unsupported = sorted(kustomization.keys() - supported)
    if unsupported:
        raise FiredampError(
            f"{file}: not supported here: {', '.join(unsupported)}", hint="use kustomize itself"
        )
    return kustomization


def _resources(folder: Path, kustomization: Object) -> Iterator[Object]:
    for name in kustomization["resources"]:
        path = folder / name
        if path.is_dir():
            yield from _resources(path, _kustomization(path, _NESTED_KEYS))
        else:
            yield from _documents(path)


def _documents(file: Path) -> Iterator[Object]:
    """Yield the objects of one file; an error names the line."""
    for line, document in documents(read_text(file, "manifest"), str(file)):
        where = f"{file}, line {line}"
        if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
            raise FiredampError(f"{where}: not an object with a kind", hint=_HINT)
        shaped(document, _Workload if document["kind"] in _WORKLOADS else _Manifest, where, hint=_HINT)
        if complaint := _complaint(document):
            raise FiredampError(f"{where}: {complaint}", hint=_HINT)
        yield document


def _complaint(document: Object) -> str | None:
    kind = document["kind"]
    if kind == "Kustomization":
        return None if document.get("resources") else "Kustomization without resources"
    if not (document.get("metadata") or {}).get("name"):
        return f"{kind} without a name"
    if kind in _WORKLOADS and not _containers(document):
        return f"{kind} without containers"
    return None


def _containers(workload: Object) -> list[Object]:
    level: Any = workload
    for key in ("spec", "template", "spec", "containers"):
        level = level.get(key) or {}
    return list(level)


def _set_workload(item: Object, images: dict[str, str], replicas: int | None) -> None:
    if item["kind"] not in _WORKLOADS:
        return
    if replicas is not None:
        item["spec"]["replicas"] = replicas
    for container in _containers(item):
        container["image"] = images.get(container["image"], container["image"])


def _replace(objects: list[Object], target: Object, value: str) -> None:
    """Put `value` into one segment of the fields that `target` selects."""
    selected, options = target["select"], target["options"]
    for item in objects:
        if (item["kind"], item["metadata"]["name"]) != (selected["kind"], selected["name"]):
            continue
        for path in target["fieldPaths"]:
            *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
            field: Any = item
            for key in parents:
                field = field[key]
            segments = field[last].split(options["delimiter"])
            segments[options["index"]] = value
            field[last] = options["delimiter"].join(segments)
