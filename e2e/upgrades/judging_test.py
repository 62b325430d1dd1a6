from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from e2e.upgrades.fleet import RATE
from e2e.upgrades.judging import (
    headers_led_to_the_canary,
    measured_on,
    measured_through,
    unmeasured,
    went_on_in_time,
)
from e2e.upgrades.members import LONG
from e2e.upgrades.places import NEW
from fixtures.core.errors import ConditionNotMetError
from fixtures.core.record import Record
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, ReplicaSetRecord, RolloutRecord, ServiceRecord
from fixtures.timeline.records_for_test import make, request, run
from fixtures.timeline.upgrade_record import UpgradeRecord
from loadgen.records import Request

BEGAN = 100.0
UPGRADES = [
    UpgradeRecord(t=BEGAN + 20, component="c", before="1", version="2", done=BEGAN + 30),
    UpgradeRecord(t=BEGAN + 40, component="c", before="2", version="1", done=BEGAN + 50),
]


def replica_sets(name: str) -> list[Record]:
    image = "firedamp.dev/payments"
    return [
        make(
            ReplicaSetRecord,
            BEGAN,
            name=f"{name}-{tag}",
            hash=f"{tag}",
            image=f"{image}:{tag}",
            desired=1,
            available=1,
        )
        for tag in ("1.0", NEW)
    ]


def ending(*, pause: float = LONG, promotion: float = LONG, delay: float = LONG) -> Recording:
    """A fleet in which what ends by itself lasts so many seconds."""
    timed = make(RolloutRecord, BEGAN, name="timed", phase="Paused", step=1)
    old = make(ReplicaSetRecord, BEGAN + delay, name="within-1.0", hash="1.0", image="i:1.0")
    records: list[Record] = [
        timed,
        replace(timed, t=BEGAN + pause, step=2),
        *replica_sets("soon"),
        make(ServiceRecord, BEGAN + promotion, name="soon-active", hash=NEW),
        *replica_sets("within"),
        make(ServiceRecord, BEGAN, name="within-active", hash=NEW),
        old,
    ]
    return run(UPGRADES, records)


def test_what_ends_when_it_should_is_told() -> None:
    lasted = went_on_in_time(ending(pause=LONG + 3, promotion=LONG - 1))
    assert lasted == {
        "pause": LONG + 3, "autoPromotionSeconds": LONG - 1, "scaleDownDelaySeconds": LONG,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lasted", "said"),
    [
        ({"pause": LONG + 20}, f"pause: {LONG} s were asked for, and it lasted {LONG + 20:.1f} s"),
        ({"promotion": LONG - 5}, "autoPromotionSeconds"),
        ({"delay": LONG + 16}, "scaleDownDelaySeconds"),
        ({"pause": 45}, "do not fall into the pause"),
    ],
)
def test_what_began_anew_or_ended_too_early_is_named(lasted: dict[str, float], said: str) -> None:
    with pytest.raises(ConditionNotMetError, match=said):
        went_on_in_time(ending(**lasted))


def measured(name: str, **fields: object) -> AnalysisRecord:
    usual = {"run_phase": "Successful", "count": LONG, "metric": "answers"}
    return make(AnalysisRecord, BEGAN, name=name, **{**usual, **fields})


def runs(**fields: object) -> Iterable[AnalysisRecord]:
    names = ("analysis-h-2-1", "trial-h-2-0-baseline")
    return [*(measured(name) for name in names), measured("trial-h-2-0-canary", **fields)]


def test_each_run_has_to_take_all_measurements() -> None:
    assert measured_on(run(runs(inconclusive=3)))["trial-h-2-0-canary"] == "3 without data, 0 errors"
    for fields in ({"count": LONG - 1}, {"run_phase": "Inconclusive"}, {"failed": 1}, {"error": 1}):
        with pytest.raises(ConditionNotMetError, match="trial-h-2-0-canary"):
            measured_on(run(runs(**fields)))
    with pytest.raises(ConditionNotMetError, match="of 3 AnalysisRuns"):
        measured_on(run(list(runs())[:2]))


def test_a_run_that_was_under_way_may_have_errors_and_must_not_have_failed() -> None:
    during = [replace(each, t=BEGAN + 25, error=2) for each in runs(inconclusive=3)]
    later = measured("background-h-3", run_phase="Failed", failed=2)
    after = replace(later, t=BEGAN + 60)
    said = measured_through(run(UPGRADES, during, [after]), errors=range(2, 5))
    assert said["trial-h-2-0-canary"] == f"{LONG} measurements, 3 of them without data, 2 errors"
    assert "background-h-3" not in said
    for fields in ({"run_phase": "Error"}, {"failed": 1}, {"run_phase": "Running"}, {"error": 1}):
        wrong = [replace(each, t=BEGAN + 25) for each in runs(**fields)]
        with pytest.raises(ConditionNotMetError, match="trial-h-2-0-canary"):
            measured_through(run(UPGRADES, wrong), errors=range(1))
    with pytest.raises(ConditionNotMetError, match="none"):
        measured_through(run(UPGRADES, [after]), errors=range(2))


def test_time_without_a_measurement_is_found_around_each_upgrade() -> None:
    told = [(0, 1), (1, 2), (19, 3), (20, 4), (41, 20), (42, 21), (60, 22), (61, 23)]
    taken = [replace(measured("analysis-h-2-1"), t=BEGAN + t, count=count) for t, count in told]
    assert unmeasured(run(UPGRADES, taken)) == [6.0, 18.0]
    earlier = [replace(each, t=each.t + 19) for each in taken[:4]]
    assert unmeasured(run(UPGRADES, earlier)) == [18.0, 0.0]


def requests(stream: str, version: str) -> list[Request]:
    times = [BEGAN + n / 6 for n in range(400)]
    return [request(t, f"probed:{version}", stream=stream) for t in times]


def test_the_header_has_to_lead_to_the_canary_and_nothing_else() -> None:
    sets = replica_sets("probed")
    right = [*requests("probe", NEW), *requests("probed", "1.0")]
    assert "0 of " in headers_led_to_the_canary(run(UPGRADES, sets, right), RATE)
    for stream, version in (("probe", "1.0"), ("probed", NEW)):
        stray = request(BEGAN + 25, f"probed:{version}", stream=stream)
        with pytest.raises(ConditionNotMetError, match=f"stream {stream}, .*probed:{version} answered 1 of"):
            headers_led_to_the_canary(run(UPGRADES, sets, [*right, stray]), RATE)
