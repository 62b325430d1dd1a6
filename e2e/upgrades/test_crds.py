"""What one version has written is read by the next, and after a rollback again, without loss of a field."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from e2e.types import Report
from e2e.upgrades.specimens import bare, kinds, lost, specimen
from fixtures.addons.components import all_recipes
from fixtures.addons.crds import wait_until_served
from fixtures.addons.manifests import read
from fixtures.artifacts.golang import module_folder
from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube, Object
from fixtures.kube.errors import TooManyRequestsError
from fixtures.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, Kind
from fixtures.providers.native import rig
from fixtures.providers.native.provider import NativeCluster

Result = TypeVar("Result")
_NAMESPACE = "specimens"
# The API server takes up another schema a moment after the CRD was applied, without saying when.
_TAKEN_UP_SECONDS = 60
_OLD, _NEW = "written-by-n", "written-by-n-plus-1"
# The file with the CRDs, in the module of each component.
_INSTALL = Path("manifests/install.yaml")
_ISTIO = Path("manifests/charts/base/files/crd-all.gen.yaml")
# docs/findings.md: what the CRDs of Argo Rollouts 1.9 no longer have, because Kubernetes 1.31 has it no more.
_SOURCE = "spec.resourceClaims[0].source"
_OF_A_JOB = f".spec.metrics[0].provider.job.spec.template.{_SOURCE}"
_OF_PODS = {
    "Rollout": f".spec.template.{_SOURCE}",
    "Experiment": f".spec.templates[0].template.{_SOURCE}",
    "AnalysisTemplate": _OF_A_JOB,
    "ClusterAnalysisTemplate": _OF_A_JOB,
    "AnalysisRun": _OF_A_JOB,
}
_KNOWN_LOSSES = {("rollouts", "v1.9.3"): _OF_PODS}


@pytest.fixture(scope="module")
def plane(embedded_node: None) -> Iterator[Kube]:  # noqa: ARG001 - asked for what it refuses
    """An API server and etcd alone: no controller changes what is written."""
    parts = replace(rig.parts(), store=None, only=("etcd", "kube-apiserver"))
    cluster = NativeCluster(parts, name=f"crds-{secrets.token_hex(3)}")
    try:
        cluster.start()
        cluster.kube.apply({"apiVersion": "v1", "kind": NAMESPACE.kind, "metadata": {"name": _NAMESPACE}})
        yield cluster.kube
    finally:
        cluster.stop()


@pytest.mark.scenario("up-2")
@pytest.mark.parametrize(
    ("component", "file", "older", "newer"),
    [
        ("rollouts", _INSTALL, "v1.9.3", "v1.10.2"),
        ("rollouts", _INSTALL, "v1.8.5", "v1.9.3"),
        ("istiod", _ISTIO, "1.30.4", "1.31.0"),
        ("argocd", _INSTALL, "v3.5.6", "v3.6.1"),
        ("argocd", _INSTALL, "v3.4.13", "v3.5.6"),
    ],
)
def test_no_field_of_the_older_version_is_lost_but_what_is_known(
    plane: Kube, component: str, file: Path, older: str, newer: str, numbers: Report
) -> None:
    before, after = (_crds(component, file, version) for version in (older, newer))
    assert before.keys() <= after.keys(), "a kind is gone"
    served = {kind: name for name, crd in before.items() for kind in kinds(crd)}
    try:
        _apply(plane, before)
        written = _until(lambda: _write(plane, before, _OLD), f"CRDs of {component} {older}")
        assert not _read(plane, written), "the specimens are not whole to begin with"

        _apply(plane, after)
        written_later = _until(lambda: _write(plane, after, _NEW), f"CRDs of {component} {newer}")
        losses = _read(plane, written)
        assert losses == _known(written, _KNOWN_LOSSES.get((component, newer), {}))
        # A field that is not read stays in etcd until its object is written, as by each change of a status.
        _touch(plane, written)

        _apply(plane, before)
        expected = bool(_differences(before, after))
        forgotten = _until(
            lambda: _forgotten(plane, written_later, expected=expected), f"CRDs of {component} {older}"
        )
        assert _read(plane, written) == losses
    finally:
        _remove(plane, after)
    fields = sum(_leaves(each) for each in written.values())
    read = f"{fields:,} fields, {len(losses) or 'none'} lost"
    numbers(**{f"{component} {older} to {newer} and back": f"{len(served)} kinds, {read}"})
    numbers(**{f"of {newer} alone, not read by {older}": ", ".join(forgotten) or "nothing"})


def _known(written: dict[Kind, Object], known: dict[str, str]) -> list[str]:
    """The fields that are known to be lost, as `_losses` names them."""
    return [f"{_label(kind)} {known[kind.kind]}" for kind in written if kind.kind in known]


def _touch(kube: Kube, written: dict[Kind, Object]) -> None:
    """Write each object anew with another annotation."""
    patch = {"metadata": {"annotations": {"touched": "yes"}}}
    for kind, each in written.items():
        kube.patch(kind, each["metadata"]["name"], each["metadata"].get("namespace"), patch)


def _crds(component: str, file: Path, version: str) -> dict[str, Object]:
    """The CRDs of a version by name, without rules about values."""
    objects = read(module_folder(all_recipes().pins[component].at(version)) / file)
    found = [bare(each) for each in objects if each["kind"] == "CustomResourceDefinition"]
    return {crd["metadata"]["name"]: crd for crd in found}


def _apply(kube: Kube, crds: dict[str, Object]) -> None:
    kube.apply(*crds.values())
    for name, crd in crds.items():
        for kind in kinds(crd):
            wait_until_served(kube, kind, name)


def _write(kube: Kube, crds: dict[str, Object], name: str) -> dict[Kind, Object]:
    """Make an object with every field of each kind, through each version that is served; return them.

    Raises:
        PendingError: They are not whole, because the CRDs are not taken up yet.
    """
    made = {}
    for crd in crds.values():
        for kind in kinds(crd):
            made[kind] = specimen(crd, kind, f"{name}-{kind.api_version.rpartition('/')[2]}", _NAMESPACE)
            kube.delete(kind, made[kind]["metadata"]["name"], made[kind]["metadata"].get("namespace"))
            kube.create(made[kind])
    if losses := _losses(kube, made):
        raise PendingError(f"not whole: {', '.join(losses[:5])}")
    return made


def _until(check: Callable[[], Result], what: str) -> Result:
    """Try again while the API server begins anew to store the kinds of CRDs that have changed."""

    def tried() -> Result:
        try:
            return check()
        except TooManyRequestsError as error:
            raise PendingError(error.message) from error

    return until(tried, what=what, timeout=_TAKEN_UP_SECONDS, interval=0.5)


def _forgotten(kube: Kube, written: dict[Kind, Object], *, expected: bool) -> list[str]:
    """What the older CRDs do not know of objects with every field of the newer ones."""
    losses = _losses(kube, written)
    if expected and not losses:
        raise PendingError("the older CRDs are not taken up yet")
    return losses


def _read(kube: Kube, written: dict[Kind, Object]) -> list[str]:
    """The fields that are lost, once all objects can be read."""
    return _until(lambda: _losses(kube, written), "objects that were written")


def _losses(kube: Kube, written: dict[Kind, Object]) -> list[str]:
    """The fields that were written and are not read, each with its kind and version."""
    losses = []
    for kind, each in written.items():
        now = kube.get(kind, each["metadata"]["name"], each["metadata"].get("namespace"))
        losses += [_label(kind)] if now is None else [f"{_label(kind)} {path}" for path in lost(each, now)]
    return losses


def _label(kind: Kind) -> str:
    return f"{kind.kind} {kind.api_version}"


def _differences(before: dict[str, Object], after: dict[str, Object]) -> list[str]:
    """The fields that only the newer CRDs have."""
    return [
        path
        for name, crd in before.items()
        for kind in kinds(crd)
        for path in lost(specimen(after[name], kind, "x", "x"), specimen(crd, kind, "x", "x"))
    ]


def _leaves(value: object) -> int:
    """The number of fields that have a value of their own."""
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1


def _remove(kube: Kube, crds: dict[str, Object]) -> None:
    for name in crds:
        kube.delete(CUSTOM_RESOURCE_DEFINITION, name)

    def gone() -> None:
        if left := {each["metadata"]["name"] for each in kube.list(CUSTOM_RESOURCE_DEFINITION)[0]} & {*crds}:
            raise PendingError(f"still there: {', '.join(left)}")

    until(gone, what="CRDs gone", timeout=_TAKEN_UP_SECONDS)
