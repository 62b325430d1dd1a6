"""With every metric provider, a good version passes and a bad one fails, judged by real traffic."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.metrics import wait_until_known
from e2e.analysis.moments import held_at
from e2e.analysis.providers.catalog import CONTROLLERS, DOWN, GOOD, MALFORMED, PROVIDERS, WRONG_KEY
from e2e.analysis.providers.controller import prepared
from e2e.analysis.providers.messages import assert_explained
from e2e.analysis.providers.runs import RunResult, start, verdict
from e2e.analysis.providers.servers import Servers
from e2e.analysis.variants import template
from e2e.types import Report, StartTrial
from fixtures.conditions.conditions import aborted, paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.judge.verdicts import assert_share, versions_by_hash
from fixtures.timeline.records import AnalysisRecord
from fixtures.trial.trial import ACTIVE, Trial

# In a parallel run, one process starts the servers.
pytestmark = pytest.mark.xdist_group("metric-providers")

ALL = {**PROVIDERS, **CONTROLLERS}
# At 100 requests a second, 1,000 of them and what it takes to converge; more than rates look back.
_HOLD_SECONDS = 14.0


@pytest.mark.scenario("an-10")
def test_each_provider_passes_the_good_version_and_fails_the_bad_one(
    servers: Servers, trial: StartTrial, numbers: Report
) -> None:
    variant = variants.combined(
        variants.without_analysis,
        # One template that fails is enough.
        variants.canary_steps(50, None, {"analysis": variants.analysis(*ALL)}),
        *(template(name, provider.metric(servers)) for name, provider in ALL.items()),
    )
    with prepared(servers):
        with trial("canary", variant=variant) as app:
            with app.traffic(100):
                app.deploy("1.2-5xx")
                app.wait(all_of(paused_at(1), weight_is(50)), within=90)
                wait_until_known(app)
                app.holds(paused_at(1), for_=_HOLD_SECONDS)
                verdicts = _verdicts(servers, app)
                app.promote()
                app.wait(aborted(version="1.2-5xx"), within=120)
            records = app.records()

            held = held_at(records, "1.2-5xx", 50).window
            share = assert_share(records, stream=ACTIVE, version="1.2-5xx", weight=50, window=held)
            (run,) = {each.name for each in records.present(AnalysisRecord)}
            judged = [each for each in records.present(AnalysisRecord) if each.phase == "Failed"]
            assert judged, f"{run} aborted nothing: no provider's metric failed"
        wrong = {who: str(said) for who, said in verdicts.items() if said.phase != _EXPECTED[who[1]]}
        assert not wrong, wrong
        _assert_errors(servers)
    numbers(share_of_the_bad_version=share, **{f"{p} of {tag}": str(v) for (p, tag), v in verdicts.items()})


_EXPECTED = {"1.0": "Successful", "1.2-5xx": "Failed"}


def _verdicts(servers: Servers, app: Trial) -> dict[tuple[str, str], RunResult]:
    """What each provider says about each version, all asked at the same time."""
    hashes = {tag: pod_hash for pod_hash, tag in versions_by_hash(app.records()).items()}
    assert hashes.keys() == _EXPECTED.keys(), hashes
    runs = {
        (name, tag): start(servers, provider, namespace=app.namespace, pod_hash=pod_hash)
        for name, provider in ALL.items()
        for tag, pod_hash in hashes.items()
    }
    return {who: verdict(servers, run) for who, run in runs.items()}


def _assert_errors(servers: Servers) -> None:
    """The cases of the providers that need the controller changed."""
    for case in (WRONG_KEY, MALFORMED, DOWN):
        servers.switch_cloudwatch(case)
        for name, provider in CONTROLLERS.items():
            assert_explained(name, case, verdict(servers, start(servers, provider, case=case)))
    servers.switch_cloudwatch(GOOD)
