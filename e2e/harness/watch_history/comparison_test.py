from __future__ import annotations

from e2e.harness.watch_history.claims import FAILED, HELD, Claim, judge
from e2e.harness.watch_history.comparison import compare
from e2e.harness.watch_history.etcd import Change
from e2e.harness.watch_history.writer import Write
from fixtures.kube.kinds import SERVICE
from fixtures.timeline.records import GapRecord, NoteRecord, ServiceRecord


def change(revision: int, *, created: int = 1, gone: bool = False, name: str = "a") -> Change:
    return Change(SERVICE, name, revision, created, gone)


def service(revision: int, *, gone: bool = False, name: str = "a") -> ServiceRecord:
    return ServiceRecord(t=0, name=name, hash="h", resource_version=revision, uid="u", deleted=gone)


def gap(after: int, until: int) -> GapRecord:
    return GapRecord(t=0, object="Service", after=after, until=until)


def test_what_was_told_once_is_clean() -> None:
    comparison = compare(
        [change(1), change(2), change(3, gone=True)],
        [service(1), service(2), service(3, gone=True), NoteRecord(t=0, text="")],
    )
    assert comparison.is_clean
    assert (comparison.recorded, comparison.hidden) == (3, 0)


def test_what_was_not_told_is_lost() -> None:
    comparison = compare([change(1), change(2), change(3, gone=True)], [service(1)])
    assert [each.revision for each in comparison.lost] == [2, 3]


def test_what_was_told_twice_or_did_not_happen_is_found() -> None:
    comparison = compare([change(1)], [service(1), service(1), service(2)])
    assert [event[2] for event in comparison.doubled] == [1]
    assert [event[2] for event in comparison.invented] == [2]


def test_of_a_gap_the_last_state_has_to_be_told_and_what_was_overwritten_is_hidden() -> None:
    changes = [change(1), change(2), change(3)]
    assert compare(changes, [service(1), gap(1, 4), service(3)]).hidden == 1
    lost = compare(changes, [service(1), gap(1, 4)]).lost
    assert [each.revision for each in lost] == [3]


def test_of_a_gap_the_end_of_what_was_known_has_to_be_told() -> None:
    changes = [change(1), change(2, gone=True)]
    comparison = compare(changes, [service(1), gap(1, 4), service(4, gone=True)])
    assert (comparison.is_clean, comparison.recorded) == (True, 2)
    assert compare(changes, [service(1), gap(1, 4)]).lost == [changes[1]]


def test_what_came_and_went_in_a_gap_is_hidden() -> None:
    comparison = compare([change(1, name="b"), change(2, created=2), change(3, created=2, gone=True)],
                    [service(1, name="b"), gap(1, 4)])  # fmt: skip
    assert (comparison.is_clean, comparison.hidden) == (True, 2)


def test_outside_of_a_gap_nothing_is_hidden() -> None:
    assert [each.revision for each in compare([change(1), change(5)], [gap(0, 4), service(1)]).lost] == [5]


def write(sent: float, done: float, *, well: bool) -> Write:
    return Write(SERVICE, "a", sent, done, well)


def claim(began: float, seconds: float, outcome: str) -> Claim:
    return Claim(SERVICE, "a", began, seconds, began + seconds + 0.2, outcome)


WRITES = [write(0, 0.1, well=True), write(10, 10.1, well=False), write(11, 11.1, well=True)]


def test_a_claim_that_held_over_a_lapse_is_wrong() -> None:
    assert len(judge([claim(9, 5, HELD)], WRITES).wrong) == 1
    assert len(judge([claim(10.5, 0.2, HELD)], WRITES).wrong) == 1
    assert not judge([claim(5, 2, HELD), claim(12, 2, HELD)], WRITES).wrong
    # It may have been done after the claim's time.
    assert not judge([claim(8, 2.05, HELD)], WRITES).wrong


def test_a_claim_that_failed_needs_a_lapse() -> None:
    assert not judge([claim(9, 5, FAILED)], WRITES).groundless
    assert len(judge([claim(5, 2, FAILED)], WRITES).groundless) == 1
    late = judge([claim(12, 2, FAILED)], WRITES)
    assert (late.late, late.groundless) == (1, [])
