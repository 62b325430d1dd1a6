"""Prometheus is upgraded and rolled back while analyses measure: they bear it, and judge again at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.components import OLDER_PROMETHEUS
from e2e.types import Report
from e2e.upgrades.exchange import there_and_back
from e2e.upgrades.fleet import Fleet
from e2e.upgrades.judging import lost_requests, measured_through, unmeasured
from e2e.upgrades.members import MEASURED
from fixtures.addons import prometheus
from fixtures.conditions.conditions import aborted
from fixtures.environment.environment import Environment
from fixtures.environment.versions import load_version
from fixtures.judge.upgrades import across, assert_undisturbed, upgrades
from fixtures.judge.verdicts import Window
from fixtures.kube.client import Kube, pods_of
from fixtures.kube.kinds import ANALYSIS_RUN, ANALYSIS_TEMPLATE, EXPERIMENT, GATEWAY, ROLLOUT, VIRTUAL_SERVICE

_NEWER = "v3.16.0"
_RATE = 15.0
_KINDS = (ROLLOUT, ANALYSIS_TEMPLATE, ANALYSIS_RUN, EXPERIMENT, VIRTUAL_SERVICE, GATEWAY)
_BAD = "1.2-5xx"
# After how many seconds a measurement that was an error is tried again, whatever its interval:
# DefaultErrorRetryInterval in analysis/analysis.go of Argo Rollouts.
_RETRIED_SECONDS = 10


@pytest.mark.scenario("up-4")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "further", [f"prometheus={OLDER_PROMETHEUS}"], indirect=True, ids=[pytest.HIDDEN_PARAM]
)
def test_analyses_bear_that_prometheus_is_replaced(
    further: Environment, numbers: Report, tmp_path: Path
) -> None:
    fleet = Fleet(further, tmp_path / "trial", MEASURED, rate=_RATE)
    with fleet.trial as app:
        further.load_images_of("prometheus", _NEWER)
        with fleet.traffic():
            fleet.release()
            there_and_back(
                fleet,
                "prometheus",
                OLDER_PROMETHEUS,
                _NEWER,
                runs=lambda: _versions(app.kube),
                kinds=_KINDS,
                quiet=_RETRIED_SECONDS + 5,
            )
            fleet.go_on()
            # What was measured since must be good enough to abort by.
            good = Window(end=app.timeline.clock())
            load_version(further, app.image, _BAD)
            fleet.apps["background"].deploy(_BAD)
            aborted_after = app.wait(aborted(version=_BAD, name="background"), within=60)
        records = app.records()
        undisturbed = assert_undisturbed(records, window=across(records))
        # One for each time that it was away, and a second one if it was away for longer than that. It may be
        # away for less than the second between two measurements, but hardly twice.
        measured = measured_through(records, errors=range(1, 5))
        silent = {member.name: unmeasured(records, member.name) for member in MEASURED}
        assert all(
            _RETRIED_SECONDS - 1 < each < 3 * _RETRIED_SECONDS for own in silent.values() for each in own
        ), f"without a measurement for {silent} s"
        sent = lost_requests(fleet, records, good)
    numbers(took=" and ".join(f"{each.during.end - each.during.start:.1f} s" for each in upgrades(records)))
    numbers(meanwhile=undisturbed, **measured, bad_version_aborted_after=f"{aborted_after:.1f} s")
    numbers(
        seconds_without_a_measurement={
            name: " and ".join(f"{each:.1f}" for each in own) for name, own in silent.items()
        },
        failed_requests=f"0 of {sent:,}",
    )


def _versions(kube: Kube) -> set[str]:
    """The versions of Prometheus that pods run."""
    pods = pods_of(kube, prometheus.NAMESPACE, "app=prometheus")
    return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in pods}
