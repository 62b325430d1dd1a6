from __future__ import annotations

import pytest
from msgspec import structs

from e2e.harness.who_answered.agreement import compare
from fixtures.timeline.attribution import attributed
from fixtures.timeline.records import PodRecord
from fixtures.timeline.records_for_test import make, request
from loadgen.records import Request
from loadgen.requests import Requests

ADDRESSES = {"pod-a": "10.0.0.1", "pod-b": "10.0.0.2", "pod-c": "10.0.0.3"}
VERSIONS = {"pod-a": "1.0", "pod-b": "1.0", "pod-c": "1.1"}


def pods(addresses: dict[str, str]) -> list[PodRecord]:
    return [
        make(
            PodRecord, 1, name=name, uid=name, image=f"x/payments:{VERSIONS[name]}", workload="payments",
            address=address,
        )
        for name, address in addresses.items()
    ]  # fmt: skip


def answer(t: float, by: str, **changes: object) -> Request:
    fields = {"upstream": f"{ADDRESSES[by]}:8080", "claimed": VERSIONS[by], "claimed_pod": by}
    return structs.replace(request(t, None), **{**fields, **changes})


SENT = [answer(10 + n, pod) for n, pod in enumerate(("pod-a", "pod-b", "pod-c", "pod-a"))]


def test_answers_that_name_the_pod_with_the_address_agree() -> None:
    agreement = compare(attributed(Requests.of(SENT), pods(ADDRESSES)))
    agreement.require_all()
    assert agreement.agreeing == 4
    assert (set(agreement.pods), set(agreement.versions)) == (set(VERSIONS), {"1.0", "1.1"})


@pytest.mark.parametrize(("one", "other", "differ"), [("pod-a", "pod-c", 3), ("pod-a", "pod-b", 3)])
def test_two_addresses_that_are_swapped_are_seen_also_within_a_version(
    one: str, other: str, differ: int
) -> None:
    swapped = ADDRESSES | {one: ADDRESSES[other], other: ADDRESSES[one]}
    agreement = compare(attributed(Requests.of(SENT), pods(swapped)))
    assert len(agreement.differing) == differ
    with pytest.raises(
        AssertionError, match=rf"{differ} answers, beside {4 - differ} that agree, name another"
    ):
        agreement.require()


def test_pods_that_were_not_recorded_are_unknown_and_no_agreement() -> None:
    only = {name: address for name, address in ADDRESSES.items() if name != "pod-b"}
    agreement = compare(attributed(Requests.of(SENT), pods(only)))
    agreement.require()
    with pytest.raises(
        AssertionError, match=r"1 answers, .* of an unknown pod: at 11\.000 from 10\.0\.0\.2:80"
    ):
        agreement.require_all()


def test_an_answer_of_another_workload_names_its_tag() -> None:
    other = answer(10, "pod-a", version="reports:1.0", pod="pod-a")
    compare([other]).require_all()
    assert compare([structs.replace(other, claimed="1.1")]).differing


def test_an_answer_of_the_app_that_the_gateway_calls_its_own_differs() -> None:
    wrong = [answer(10, "pod-a", flags="UF", status=503), answer(11, "pod-a", upstream=None, flags="-")]
    assert compare(attributed(Requests.of(wrong), pods(ADDRESSES))).differing == wrong


def test_an_answer_without_the_gateways_word_is_no_agreement() -> None:
    silent = answer(10, "pod-a", upstream=None, version="1.0", pod="pod-a")
    with pytest.raises(AssertionError, match=r"1 answers, .* without the gateway's word"):
        compare([silent]).require_all()


def test_an_answer_in_which_the_app_says_nothing_is_not_compared() -> None:
    agreement = compare([answer(10, "pod-a", claimed=None, claimed_pod=None), request(11, None, status=503)])
    agreement.require_all()
    assert agreement.agreeing == 0
