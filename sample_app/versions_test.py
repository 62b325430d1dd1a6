"""Tests that each tag has the version and the fault that it stands for."""

from __future__ import annotations

import json

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
    with pytest.raises(FiredampError, match=r"no version(.|\n)*1\.0, 1\.1, 1\.2-crash, 1\.2-5xx\[-N\]"):
        versions.of(tag)


@pytest.mark.parametrize("tag", ["1.2-5xx-0", "1.2-5xx-101", "1.2-slow-0", "1.2-slow-100001"])
def test_a_number_out_of_range_is_refused(tag: str) -> None:
    with pytest.raises(FiredampError, match="above 0 and at most"):
        versions.of(tag)


def test_a_version_without_an_image_is_refused() -> None:
    versions.require_image("1.2-5xx-20")
    with pytest.raises(FiredampError, match=r"no version '1\.2-slow-1500'\n.*images: 1\.0, 1\.1,"):
        versions.require_image("1.2-slow-1500")
