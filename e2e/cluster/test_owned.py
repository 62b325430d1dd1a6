"""A run on an existing cluster changes no object of others, even one that appears while the run looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.cluster.conftest import NewCluster
from fixtures.kube.client import Kube, Object
from fixtures.kube.errors import KubeError
from fixtures.kube.kinds import Kind
from fixtures.providers.existing.owned import OwnedKube
from fixtures.providers.existing.sweep import sweep

_RUN = "run-00000a"
_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole")
_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


@dataclass
class Both:
    """An API server, as a run on it and as somebody else sees it."""

    ours: OwnedKube
    theirs: Kube


@pytest.fixture
def both(control_plane: NewCluster, tmp_path: Path) -> Iterator[Both]:
    cluster = control_plane()
    cluster.start()
    ours = OwnedKube(cluster.kube.configuration, tmp_path / "discovery", _RUN)
    yield Both(ours, cluster.kube)
    ours.close()


def test_a_run_neither_takes_over_nor_changes_what_others_put_in_the_place_of_its_own(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[Callable[[OwnedKube], object]] = [
        lambda kube: kube.patch(_ROLE, "reader", None, {"rules": []}),
        lambda kube: kube.patch(_ROLE, "reader", None, [{"op": "remove", "path": "/rules"}]),
        lambda kube: kube.delete(_ROLE, "reader"),
        lambda kube: kube.apply(_role(rules=[])),
    ]
    both.ours.apply(_role(rules=[]))
    uid = both.theirs.get(_ROLE, "reader")["metadata"]["uid"]  # type: ignore[index]
    both.theirs.delete(_ROLE, "reader")
    both.theirs.apply(_role(rules=[_RULE]))
    # As the run saw it before.
    monkeypatch.setattr(both.ours, "_guard", lambda *_: uid)
    for change in changes:
        with pytest.raises(KubeError):
            change(both.ours)
    assert _rules(both.theirs) == [_RULE]
    sweep(both.theirs, _RUN)
    assert _rules(both.theirs) == [_RULE]


def test_what_others_create_in_the_same_moment_is_theirs(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = both.ours.get

    def look(kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        present = looked(kind, name, namespace)
        if present is None:
            both.theirs.apply(_role(rules=[_RULE]))
        return present

    monkeypatch.setattr(both.ours, "require_free", lambda *_: None)
    monkeypatch.setattr(both.ours, "get", look)
    with pytest.raises(KubeError, match=r"refuses to create ClusterRole reader: .*already exists"):
        both.ours.apply(_role(rules=[]))
    assert _rules(both.theirs) == [_RULE]


def test_a_field_that_an_object_does_not_have_any_more_is_taken_out(both: Both) -> None:
    both.ours.apply(_role(rules=[_RULE], labels={"old": "yes", "kept": "yes"}))
    both.ours.patch(_ROLE, "reader", None, {"metadata": {"labels": {"patched": "yes"}}})
    for _ in range(2):
        both.ours.apply(_role(rules=[], labels={"kept": "yes"}))
    role = both.theirs.get(_ROLE, "reader")
    assert role
    assert role["metadata"]["labels"].keys() & {"old", "kept", "patched"} == {"kept", "patched"}
    assert not role.get("rules")


def _role(*, rules: list[Object], labels: dict[str, str] | None = None) -> Object:
    metadata = {"name": "reader", "labels": labels or {}}
    return {"apiVersion": _ROLE.api_version, "kind": _ROLE.kind, "metadata": metadata, "rules": rules}


def _rules(kube: Kube) -> list[Object] | None:
    role = kube.get(_ROLE, "reader")
    rules: list[Object] | None = role["rules"] if role else None
    return rules
