"""A version that crashes at boot on a plain Deployment: probe and maxUnavailable decide what clients see."""

from __future__ import annotations

from collections import Counter

import pytest

from e2e import variants
from e2e.scaling import scaled_down
from e2e.types import Report, StartTrial, Variant
from e2e.variants import combined, lingering
from fixtures.conditions.conditions import deployment_available
from fixtures.conditions.expectation import not_
from fixtures.judge.verdicts import ENOUGH, Window, assert_no_errors, requests
from fixtures.kube.client import Object
from fixtures.timeline.extraction import tag_of
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import DeploymentRecord, PodRecord
from fixtures.trial.trial import ACTIVE
from loadgen.statistics import Share

CRASH = "1.2-crash"
_PODS = 3
# Boots, crashes, is restarted at once, crashes, and again after a back-off of 10 s.
_WATCH_SECONDS = 20.0
_TAKEN_UP_SECONDS = 10.0
# Until the last old pod has ended: it has 10 s (see the manifest), from when the kubelet gets to it.
_LINGER_SECONDS = 13.0
# 1,000 requests at 100/s, also if the load stalls for 2 s at the end.
_OUTAGE_SECONDS = 12.0


@pytest.mark.scenario("base-2")
@pytest.mark.parametrize("unavailable", [0, 1])
def test_a_readiness_probe_spares_the_clients_and_max_unavailable_says_how_many_pods_are_left(
    trial: StartTrial, numbers: Report, unavailable: int
) -> None:
    with trial(
        "deployment", replicas=_PODS, variant=combined(_deployment(unavailable=unavailable), lingering)
    ) as app:
        with app.traffic(100):
            app.deploy(CRASH)
            # Before the controller has taken it up, nothing can be said about it.
            app.wait(not_(deployment_available(CRASH)), within=_TAKEN_UP_SECONDS)
            app.holds(not_(deployment_available(CRASH)), for_=_WATCH_SECONDS)
        records = app.records()

        assert _restarts(records) > 0, "the version did not crash, so this proved nothing"
        answered = assert_no_errors(records, stream=ACTIVE)
        left = len(app.stable_pods())
        assert left == _PODS - unavailable, f"{left} old pods are left"
    numbers(
        **{
            "maxUnavailable": unavailable,
            "old pods left": f"{left} of {_PODS}",
            "failed requests": f"0 of {answered:,}",
        }
    )


@pytest.mark.scenario("base-2")
@pytest.mark.parametrize("cause", ["no-probe", "max-unavailable-100%"])
def test_without_a_probe_or_with_all_pods_unavailable_the_crash_is_an_outage(
    trial: StartTrial, numbers: Report, cause: str
) -> None:
    no_probe = combined(_deployment(unavailable=0, probe=False), _boots_for_a_while)
    variant = no_probe if cause == "no-probe" else _deployment(unavailable="100%")
    with trial("deployment", replicas=_PODS, variant=variant) as app:
        with app.traffic(100):
            began = app.timeline.clock()
            app.deploy(CRASH)
            took = app.wait(scaled_down("1.0"), within=120)
            gone = app.timeline.clock() + _LINGER_SECONDS
            app.holds(scaled_down("1.0"), for_=_LINGER_SECONDS + _OUTAGE_SECONDS)
        records = app.records()

        outage = requests(records, ACTIVE, Window(gone))
        assert len(outage) >= ENOUGH
        answered = [request for request in outage if not request.failed]
        assert not answered, f"{len(answered)} of {len(outage)} were answered, by {answered[0].pod}"
        bad = [request for request in requests(records, ACTIVE, Window(began)) if request.failed]
    causes = Counter(str(request.error or request.status) for request in outage)
    progress = [r.progress for r in records.of(DeploymentRecord)][-1]
    numbers(
        **{
            "deploy to first failed request": f"{bad[0].t - began:.2f} s",
            "deploy to no old pod wanted": f"{took:.1f} s",
            "failed requests after that": f"{Share(len(outage), len(outage))}: {dict(causes)}",
            "what the Deployment says": progress,
        }
    )


def _deployment(*, unavailable: int | str, probe: bool = True) -> Variant:
    def change(objects: list[Object]) -> None:
        spec = variants.manifest_of(objects, "Deployment")["spec"]
        spec["strategy"]["rollingUpdate"]["maxUnavailable"] = unavailable
        if not probe:
            for container in spec["template"]["spec"]["containers"]:
                del container["readinessProbe"]

    return change


def _boots_for_a_while(objects: list[Object]) -> None:
    """It crashes 10 s after its start, as much software would: new pods are Ready together for a while."""
    template = variants.manifest_of(objects, "Deployment")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    boot = "import runpy, time; time.sleep(10); runpy.run_module('api', run_name='__main__', alter_sys=True)"
    container["command"] = ["python3", "-c", boot]


def _restarts(records: Recording) -> int:
    return max(int(pod.restarts) for pod in records.of(PodRecord) if tag_of(pod.image) == CRASH)
