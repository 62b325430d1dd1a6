from __future__ import annotations

import re

import pytest
import yaml

from e2e.upgrades.fleet import RATE
from e2e.upgrades.members import AT_REST, MEASURED, MESHED, TWENTY, Member, asked
from e2e.upgrades.places import in_place
from fixtures.apps.validation import require_sound
from loadgen.plan import Stream, make_plan
from loadgen.shapes import Constant
from sample_app import bases

_BASE = bases.load("canary", namespace="shop", tag="1.0")
_TEMPLATES = [each for each in _BASE if each["kind"] == "AnalysisTemplate"]
_ALL = [*dict.fromkeys([*TWENTY, *MEASURED, *MESHED])]


@pytest.mark.parametrize("member", _ALL, ids=lambda member: member.name)
def test_nothing_but_image_and_gateway_has_the_name_of_the_base(member: Member) -> None:
    objects = member.objects("shop", "firedamp.dev/payments")
    require_sound([*objects, *_TEMPLATES, asked("shop")])
    left = re.findall(r".*payments.*", yaml.safe_dump(objects))
    assert {line.strip() for line in left} <= {"- payments", "image: firedamp.dev/payments:1.0"}
    hosts = [each["spec"]["hosts"] for each in objects if each["kind"] == "VirtualService"]
    assert [f"{member.name}.shop"] in hosts


def test_no_two_objects_have_one_name() -> None:
    keys = [
        (each["kind"], each["metadata"]["name"])
        for member in _ALL
        for each in member.objects("shop", "firedamp.dev/payments")
    ]
    assert len(keys) == len({*keys})


def test_each_release_under_way_has_a_place_and_the_load_can_be_planned() -> None:
    under_way = {member.name for member in _ALL if member not in AT_REST}
    assert in_place().keys() == under_way
    assert (len(AT_REST), len(TWENTY)) == (9, 19)
    names = [*(member.name for member in TWENTY), "probe", "active"]
    streams = tuple(Stream(name, "h") for name in names)
    assert make_plan("http://127.0.0.1:1", streams, Constant(RATE), 1.0, epoch=None)  # type: ignore[arg-type]
