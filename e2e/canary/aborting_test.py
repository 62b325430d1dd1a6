from __future__ import annotations

import pytest

from e2e.canary.aborting import share_since_its_first_response
from fixtures.core.errors import ConditionNotMetError
from fixtures.judge.release.release import release_of
from fixtures.timeline.records_for_test import CANARY, deploy, request, run, services, sets, traffic, weight
from loadgen.statistics import Share


def judged(*, claimed: int, actual: float) -> Share:
    """A canary of 4 s, and clients who are spared afterwards."""
    records = run(
        sets(0), services(0, canary=CANARY), [deploy(2), weight(1, 0), weight(2.9, claimed), weight(6, 0)],
        traffic(2, 1, 0), [request(3, CANARY)], traffic(3, 3, actual), traffic(6, 8, 0),
    )  # fmt: skip
    return share_since_its_first_response(
        records, release_of(records, version=CANARY, stream="active"), weight=5
    )


def test_a_short_life_is_judged_by_a_verdicts_number_of_requests() -> None:
    share = judged(claimed=5, actual=5)

    assert share.n == 1000
    assert 15 < share.k < 60


@pytest.mark.parametrize(("claimed", "actual"), [(5, 20), (15, 15)])
def test_a_canary_that_got_more_than_its_step_says_is_seen(claimed: int, actual: float) -> None:
    with pytest.raises(ConditionNotMetError, match=r"never given more than 5% and got|only 0 responses"):
        judged(claimed=claimed, actual=actual)
