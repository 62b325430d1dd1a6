from __future__ import annotations

from typing import Any

import pytest

from e2e.upgrades.specimens import bare, kinds, lost, specimen

CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "shops.example.org", "annotations": {"a": "b"}},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Shop"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "oneOf": [{"required": ["one"]}, {"required": ["other"]}],
                                "properties": {
                                    "one": {"type": "string", "enum": ["a"]},
                                    "other": {
                                        "x-kubernetes-int-or-string": True,
                                        "anyOf": [{"type": "integer"}],
                                    },
                                    "many": {"type": "array", "items": {"type": "integer", "minimum": 3}},
                                    "labels": {"type": "object", "additionalProperties": {"type": "boolean"}},
                                    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "enum": {"type": "number"},
                                },
                            },
                        },
                    }
                },
            },
            {"name": "v0", "served": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
KEPT = {"anything": {"kept": True}}


def test_a_specimen_has_every_field_also_those_of_which_an_object_has_only_one() -> None:
    crd = bare(CRD)
    (kind,) = kinds(crd)
    made = specimen(crd, kind, "x", "n")
    assert made == {
        "apiVersion": "example.org/v1",
        "kind": "Shop",
        "metadata": {"name": "x", "namespace": "n"},
        "spec": {
            "one": "text", "other": "50%", "many": [1], "labels": {"key": True}, "open": KEPT, "enum": 1.5,
        },
    }  # fmt: skip


def test_only_structure_is_left_of_a_schema_and_properties_keep_their_names() -> None:
    (version, _) = bare(CRD)["spec"]["versions"]
    assert "subresources" not in version
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec.keys() == {"type", "properties"}
    assert spec["properties"]["one"] == {"type": "string"}
    assert "enum" in spec["properties"]
    assert spec["properties"]["many"]["items"] == {"type": "integer"}
    assert CRD["spec"]["versions"][0]["subresources"], "the CRD itself was changed"


@pytest.mark.parametrize(
    ("read", "paths"),
    [
        ({"a": {"b": [{"c": 1}]}}, []),
        ({"a": {"b": [{"c": 1}], "more": 2}}, []),
        ({"a": {"b": [{}]}}, [".a.b[0].c"]),
        ({"a": {"b": []}}, [".a.b"]),
        ({"a": {}}, [".a.b"]),
        ({"a": {"b": [{"c": 2}]}}, [".a.b[0].c"]),
        ({}, [".a"]),
    ],
)
def test_what_is_lost_is_named_by_its_path(read: object, paths: list[str]) -> None:
    assert list(lost({"a": {"b": [{"c": 1}]}}, read)) == paths


def test_metadata_is_the_servers() -> None:
    assert not list(lost({"metadata": {"name": "x"}}, {"metadata": {}}))
