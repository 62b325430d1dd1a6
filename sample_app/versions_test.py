"""Tests that each tag has the version and the fault that it stands for."""

from __future__ import annotations

import json
import re

import pytest

from fixtures.core.errors import FiredampError
from sample_app import versions
from sample_app.api.faults import gate


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ("1.0", {"kind": "none"}),
        ("1.1", {"kind": "none"}),
        ("1.2-crash", {"kind": "crash"}),
        ("1.2-5xx", {"kind": "errors", "rate": 1.0}),
        ("1.2-5xx-20", {"kind": "errors", "rate": 0.2}),
        ("1.2-5xx-2.5", {"kind": "errors", "rate": 0.025}),
        ("1.2-slow", {"kind": "slow", "ms": 800}),
        ("1.2-slow-1500", {"kind": "slow", "ms": 1500}),
        ("1.2-neverready", {"kind": "neverready"}),
        ("1.2-firstfails", {"kind": "firstfails"}),
        ("1.2-overload", {"kind": "overload", "per_second": 40}),
        ("1.2-overload-80", {"kind": "overload", "per_second": 80}),
        ("1.2-leak", {"kind": "leak", "kib": 256}),
        ("1.2-leak-0.5", {"kind": "leak", "kib": 0.5}),
        ("1.2-5xx-at_orders", {"kind": "errors", "rate": 1.0, "path": "/orders"}),
        ("1.2-5xx-2.5-at_v1_a-b.2Ejson", {"kind": "errors", "rate": 0.025, "path": "/v1/a-b.json"}),
        ("1.2-slow-1500-at_orders", {"kind": "slow", "ms": 1500, "path": "/orders"}),
        ("1.2-firstfails-at_orders", {"kind": "firstfails", "path": "/orders"}),
        ("1.3-ledger", {"kind": "ledger", "schema": 1}),
        ("1.3-ledger-2", {"kind": "ledger", "schema": 2}),
    ],
)
def test_a_tag_is_written_into_its_image_with_its_fault(tag: str, fault: dict[str, object]) -> None:
    version = versions.of(tag)
    assert json.loads(version.version_json()) == {"version": tag, "fault": fault}
    assert version.image == f"firedamp.dev/payments:{tag}"


@pytest.mark.parametrize("version", versions.VERSIONS, ids=lambda version: version.tag)
def test_the_api_knows_every_fault(version: versions.Version) -> None:
    gate(json.loads(version.version_json())["fault"])


@pytest.mark.parametrize("tag", ["", "2.0", "1.0-20", "1.2-crash-20", "1.2-5xx-", "1.2-5xx-x", "1.2-5xx--5"])
def test_an_unknown_tag_is_refused_with_those_that_exist(tag: str) -> None:
    with pytest.raises(
        FiredampError, match=r"no version(.|\n)*1\.0, 1\.1, 1\.2-crash, 1\.2-5xx\[-N\]\[-at_PATH\]"
    ):
        versions.of(tag)


@pytest.mark.parametrize("tag", ["1.2-5xx-0", "1.2-5xx-101", "1.2-slow-0", "1.2-slow-100001"])
def test_a_number_out_of_range_is_refused(tag: str) -> None:
    with pytest.raises(FiredampError, match="above 0 and at most"):
        versions.of(tag)


@pytest.mark.parametrize(
    "path", ["/orders", "/v1/orders.json", "/a_b", "/shop.Orders/Get", "/ü/{id}", "/a-at_b", "/-5", "/a.2E"]
)
def test_a_path_comes_back_from_its_tag(path: str) -> None:
    for tag in ("1.2-5xx", "1.2-5xx-20", "1.2-slow-7.5"):
        encoded = versions.at_path(tag, path)
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", encoded), "no tag of an image"
        version = versions.of(encoded)
        assert (version.path, version.kind, version.value) == (
            path,
            versions.of(tag).kind,
            versions.of(tag).value,
        )


@pytest.mark.parametrize("path", ["", "orders", "/", "/orders/", "/orders?a=1", "/" + "ü" * 30])
def test_a_path_that_no_tag_can_hold_is_refused(path: str) -> None:
    with pytest.raises(FiredampError, match="path"):
        versions.at_path("1.2-5xx", path)


@pytest.mark.parametrize("tag", ["1.0", "1.2-crash", "1.2-neverready", "1.3-ledger"])
def test_a_fault_that_is_not_of_single_requests_has_no_path(tag: str) -> None:
    with pytest.raises(FiredampError, match="no version"):
        versions.at_path(tag, "/orders")


def test_a_version_has_one_path_at_most() -> None:
    with pytest.raises(FiredampError, match="has a path already"):
        versions.at_path("1.2-5xx-at_a", "/orders")


@pytest.mark.parametrize(
    "tag",
    [
        "1.2-5xx-at_",
        "1.2-5xx-at_a_",
        "1.2-5xx-at_a.2e",
        "1.2-5xx-at_a.2D",
        "1.2-5xx-at_a.5",
        "1.2-5xx-at_a.3F",
    ],
)
def test_only_one_tag_has_a_path(tag: str) -> None:
    with pytest.raises(FiredampError, match="is not a path as tags have it"):
        versions.of(tag)


def test_each_image_has_a_tag_of_its_own() -> None:
    tags = [version.tag for version in versions.IMAGES]
    assert len(set(tags)) == len(tags) > len(versions.VERSIONS)
