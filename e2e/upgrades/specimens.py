"""Custom resources with every field that their CRD has, and what is lost of them when it is read again.

The API server removes ("prunes") what a CRD does not know, when an object is written and when it is read.
What it knows is decided by the structure of the schema alone: properties, items, additional properties. So
all else that a schema says of values is taken out of it here, such as `oneOf`, patterns and rules in CEL: no
single object could have all fields then.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from fixtures.core.objects import Object
from fixtures.kube.kinds import Kind

# What a schema says of values, and not of structure.
_OF_VALUES = {
    "oneOf", "anyOf", "allOf", "not", "enum", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
    "maxProperties", "x-kubernetes-validations",
}  # fmt: skip
_ANYTHING: Object = {"anything": {"kept": True}}
_VALUES = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}


def bare(crd: Object) -> Object:
    """The same CRD without rules about values, and without subresources: one write has all fields."""
    crd = copy.deepcopy(crd)
    crd["metadata"] = {"name": crd["metadata"]["name"]}
    crd.pop("status", None)
    for version in crd["spec"]["versions"]:
        version.pop("subresources", None)
        version["schema"]["openAPIV3Schema"] = _structure(version["schema"]["openAPIV3Schema"])
    return crd


def kinds(crd: Object) -> list[Kind]:
    """The kinds of a CRD that are served, one for each version."""
    spec = crd["spec"]
    served = [version["name"] for version in spec["versions"] if version["served"]]
    return [Kind(f"{spec['group']}/{name}", spec["names"]["kind"]) for name in served]


def specimen(crd: Object, kind: Kind, name: str, namespace: str) -> Object:
    """An object of a kind with every field of its schema."""
    whole = _value(schema_of(crd, kind))
    assert isinstance(whole, dict)
    is_namespaced = crd["spec"]["scope"] == "Namespaced"
    metadata = {"name": name} | ({"namespace": namespace} if is_namespaced else {})
    return {**whole, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def schema_of(crd: Object, kind: Kind) -> Object:
    """The schema of one version of a CRD."""
    (schema,) = [
        version["schema"]["openAPIV3Schema"]
        for version in crd["spec"]["versions"]
        if kind.api_version.endswith(f"/{version['name']}")
    ]
    assert isinstance(schema, dict)
    return schema


def lost(written: object, read: object, path: str = "") -> Iterator[str]:
    """The path of each field that was written and is not read, or is read with another value."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key not in read:
                yield f"{path}.{key}"
            elif (path, key) != ("", "metadata"):
                yield from lost(value, read[key], f"{path}.{key}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for place, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, f"{path}[{place}]")
    elif written != read:
        yield path


def _structure(schema: Object) -> Object:
    kept = {key: value for key, value in schema.items() if key not in _OF_VALUES}
    if "properties" in kept:
        kept["properties"] = {name: _structure(each) for name, each in kept["properties"].items()}
    for field in ("items", "additionalProperties"):
        if isinstance(kept.get(field), dict):
            kept[field] = _structure(kept[field])
    return kept


def _value(schema: Object) -> object:
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        return "50%"
    if properties := schema.get("properties"):
        own = {name: _value(each) for name, each in properties.items()}
        return own | (_ANYTHING if schema.get("x-kubernetes-preserve-unknown-fields") else {})
    if isinstance(more := schema.get("additionalProperties"), dict):
        return {"key": _value(more)}
    if kind == "array":
        return [_value(schema["items"])]
    return _VALUES[kind] if kind in _VALUES else copy.deepcopy(_ANYTHING) if _is_open(schema) else {}


def _is_open(schema: Object) -> bool:
    """Whether objects may have whatever fields."""
    return bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties"))
