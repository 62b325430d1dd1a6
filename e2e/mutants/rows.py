"""The tests that look for generated mutants: short ones, of each strategy and of each kind of step."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from e2e.mutants.reach import Reached

_CANARY, _BLUE_GREEN, _ANALYSIS = "e2e/canary", "e2e/bluegreen", "e2e/analysis"
_SUPERSEDES = "test_a_newer_version_supersedes_the_canary_and_alone_is_promoted"
_AFTER_PROMOTION = "test_a_version_that_fails_its_analysis_after_promotion_is_switched_back"
_BEFORE_PROMOTION = "test_a_version_that_fails_its_analysis_before_promotion_is_never_switched_to"
ROWS: Sequence[str] = (
    f"{_CANARY}/test_promotion_by_hand.py::test_promote_full_skips_every_step_and_every_analysis",
    f"{_CANARY}/test_promotion_by_hand.py::test_promote_goes_on_by_one_step_and_stops_at_the_next_pause",
    f"{_CANARY}/test_change_of_mind.py::{_SUPERSEDES}",
    f"{_CANARY}/test_change_of_mind.py::test_the_stable_version_again_returns_at_once_without_steps",
    f"{_CANARY}/test_abort.py::test_a_version_that_answers_5xx_is_aborted_and_gone",
    f"{_CANARY}/test_abort.py::test_a_version_that_crashes_at_boot_never_reaches_a_client",
    f"{_CANARY}/test_after_abort.py::test_undo_makes_an_aborted_rollout_healthy_without_a_new_pod",
    f"{_CANARY}/test_scale.py::test_the_canary_is_scaled_apart_from_its_weight_and_beyond_max_surge",
    f"{_CANARY}/test_scale.py::test_a_dynamic_stable_is_never_left_with_more_weight_than_pods",
    f"{_CANARY}/test_scale.py::test_without_a_traffic_router_the_pods_stay_within_surge_and_unavailable",
    f"{_CANARY}/test_routes.py::test_a_mirrored_version_fails_where_no_client_sees_it_and_its_routes_end_with_the_abort",
    f"{_CANARY}/test_experiment.py::test_a_broken_version_fails_beside_the_old_one_and_is_aborted",
    f"{_CANARY}/test_split.py::test_each_split_gives_the_same_shares_and_no_change_of_it_costs_a_client_an_error",
    f"{_BLUE_GREEN}/test_promotion.py::test_promotion_switches_all_clients_at_once",
    f"{_BLUE_GREEN}/test_promotion.py::test_automatic_promotion_waits_for_its_seconds",
    f"{_BLUE_GREEN}/test_analysis.py::{_AFTER_PROMOTION}",
    f"{_BLUE_GREEN}/test_analysis.py::{_BEFORE_PROMOTION}",
    f"{_BLUE_GREEN}/test_pods.py::test_a_small_preview_grows_to_full_size_before_it_becomes_active",
    f"{_BLUE_GREEN}/test_rollback.py::test_within_the_delay_an_abort_does_nothing_and_an_undo_brings_blue_back_at_once",
    f"{_ANALYSIS}/test_fields.py::test_dry_run_retention_delay_count_and_arguments_are_as_documented",
    f"{_ANALYSIS}/test_limits.py::test_one_bad_measurement_aborts_or_is_survived_as_the_failure_limit_says",
    f"{_ANALYSIS}/test_inconclusive.py::test_an_inconclusive_analysis_pauses_until_somebody_decides",
    f"{_ANALYSIS}/test_kinds.py::test_a_background_analysis_with_a_starting_step_does_not_look_before_it",
)
"""The first rows. Mutants are drawn among what these reach, so that a seed draws what it always drew."""
ADDED: Sequence[str] = (
    f"{_CANARY}/test_conditions.py::test_the_conditions_say_what_is_so_before_a_release_and_in_it_and_long_after_it",
    f"{_CANARY}/test_conditions.py::test_a_release_that_goes_on_slowly_does_not_reach_its_deadline",
    f"{_CANARY}/test_experiment_objects.py::test_an_experiment_ends_by_its_duration_its_analysis_or_its_deadline_and_its_pods_go",
    f"{_CANARY}/test_route_changes.py::test_weights_that_somebody_edits_come_back_and_what_a_route_lacks_is_told",
    f"{_CANARY}/test_route_changes.py::test_a_header_route_has_the_port_of_the_others_and_a_route_of_the_user_stays",
    "e2e/cases/test_cases.py::test_what_is_known_of_a_case_is_still_so[02-abort-with-an-unready-pod-subsets]",
    f"{_CANARY}/test_quiet.py::test_in_a_pause_the_controller_writes_no_replica_set_and_looks_only_when_something_changes",
    f"{_ANALYSIS}/test_history.py::test_the_analysis_of_a_superseded_version_ends_and_the_newest_ended_one_stays",
    f"{_CANARY}/test_after_abort.py::test_a_version_that_was_aborted_twice_can_be_tried_again_and_promoted",
    f"{_BLUE_GREEN}/test_promotion.py::test_a_version_that_comes_in_the_pause_of_another_waits_for_all_of_its_seconds",
)
"""Rows that were written, or taken in, because the first ones missed mutants."""


def is_of(test: str, rows: Container[str]) -> bool:
    """Whether a test, by its node id, is one of some rows; a row without parameters is all of its tests."""
    return test in rows or test.partition("[")[0] in rows


def reached_first(reached: Iterable[Reached]) -> list[Reached]:
    """What the first rows reach, of what all reach."""
    return [each for each in reached if is_of(each.test, ROWS)]


def touching(reached: Iterable[Reached], mutant: int) -> list[str]:
    """The tests that reach a mutant, those first that find it soonest.

    These are the added ones, which are short and have no load, and of the others those that reach the fewest
    mutants, because they are about it.
    """
    tests = [each for each in reached if mutant in each.mutants]
    tests.sort(key=lambda each: (not is_of(each.test, ADDED), len(each.mutants)))
    return [each.test for each in tests]
