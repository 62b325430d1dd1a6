"""What a plain Deployment does with a broken version: everything that a Rollout is there to prevent."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.baseline.pods import CONVERGENCE_SECONDS, ready_shares
from e2e.types import EnterClaim, Report, StartTrial
from fixtures.conditions.conditions import deployment_available
from fixtures.judge.verdicts import Window, assert_share, requests
from fixtures.kube.client import Object
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.trial.trial import ACTIVE
from loadgen.statistics import Share

_STEP_SECONDS = 10
# Of a stage that is judged: 1,200 requests.
_JUDGED_SECONDS = 6.0
# What a gateway may hold up at the end of the load.
_STALL_SECONDS = 3.0
_MOST = 0.5


@pytest.mark.smoke
@pytest.mark.every_provider
@pytest.mark.scenario("base-1")
def test_a_rolling_update_follows_the_pods_and_is_stopped_by_no_error_rate(
    trial: StartTrial, numbers: Report, claim: EnterClaim
) -> None:
    with trial("deployment", replicas=3, variant=_one_pod_every_few_seconds) as app:
        with app.traffic():
            app.deploy("1.2-5xx")
            took = app.wait(deployment_available("1.2-5xx"), within=150)
            done = app.timeline.clock()
            app.holds(
                deployment_available("1.2-5xx"), for_=CONVERGENCE_SECONDS + _JUDGED_SECONDS + _STALL_SECONDS
            )
        records = app.records()

        stages = [stage for stage in ready_shares(records, "1.2-5xx") if 0 < stage.share < 1]
        long_enough = [stage for stage in stages if stage.window.end - stage.window.start >= _JUDGED_SECONDS]
        assert long_enough, f"no stage with both versions ready was long enough: {stages}"
        for stage in long_enough:
            seen = assert_share(
                records, stream=ACTIVE, version="1.2-5xx", weight=100 * stage.share, window=stage.window
            )
            numbers(**{f"share with {stage.new} of {stage.total} ready pods": seen})
        end = Window(done + CONVERGENCE_SECONDS)
        everything = assert_share(records, stream=ACTIVE, version="1.2-5xx", weight=100, window=end)
        failed = Share(sum(each.failed for each in requests(records, ACTIVE, end)), everything.n)
        claim(
            "A Deployment's rolling update stops when most requests fail",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if failed.value > _MOST else HOLDS,
            evidence={"failed requests once every pod was new": failed, "deploy to that": f"{took:.1f} s"},
        )
    numbers(deploy_to_all_pods_broken=f"{took:.1f} s", broken_responses_at_the_end=everything)


def _one_pod_every_few_seconds(objects: list[Object]) -> None:
    """Each stage of the update lasts long enough for its share to be measured."""
    deployment = variants.manifest_of(objects, "Deployment")
    deployment["spec"]["minReadySeconds"] = _STEP_SECONDS
    deployment["spec"]["strategy"] = {
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}
    }  # fmt: skip
