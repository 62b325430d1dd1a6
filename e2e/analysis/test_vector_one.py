"""With `or vector(1)` in its query, an analysis counts missing data as good data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e import variants
from e2e.analysis.metrics import BARE, OF_VERSION, metric, success_rate
from e2e.analysis.variants import inline, step, template
from e2e.types import EnterClaim, StartTrial
from fixtures.conditions.conditions import aborted, promoted
from fixtures.conditions.expectation import any_of
from fixtures.judge.convergence import windows
from fixtures.judge.verdicts import Window, assert_share
from fixtures.kube.client import Object
from fixtures.kube.kinds import ROLLOUT
from fixtures.plugin.claims import DOES_NOT_HOLD, HOLDS
from fixtures.timeline.records import AnalysisRecord, RolloutRecord
from fixtures.trial.trial import ACTIVE, Trial

_BAD = "1.2-5xx"
_MISSPELT = OF_VERSION.replace("rollouts_pod_template_hash", "rollout_pod_template_hash")


# Prometheus asks for the new version's metrics where there are none.
_ELSEWHERE = {
    "op": "replace",
    "path": "/spec/template/metadata/annotations/prometheus.io~1port",
    "value": "8081",
}
_REASONS: dict[str, tuple[Callable[[str], str], str, list[Object]]] = {
    "a label is misspelt": (success_rate, _MISSPELT, []),
    "the scrape is broken": (success_rate, OF_VERSION, [_ELSEWHERE]),
}


@pytest.mark.scenario("an-5")
@pytest.mark.parametrize("reason", _REASONS)
def test_or_vector_1_promotes_a_broken_canary_when_there_is_no_data(
    reason: str, trial: StartTrial, claim: EnterClaim
) -> None:
    ask, labels, also = _REASONS[reason]
    guarded = metric("success", f"({ask(labels)}) or vector(1)", BARE, count=5)
    steps = inline(25, "5s", step("guarded"), 50, "2s")
    with trial("canary", variant=variants.combined(template("guarded", guarded), steps)) as app:
        ended = _release(app, also)
        records = app.records()

        runs = [run for run in records.present(AnalysisRecord) if run.count]
        share = assert_share(records, stream=ACTIVE, version=_BAD, weight=100, window=ended) if ended else "0"
        claim(
            f"`or vector(1)` is safe when {reason}",
            expected=DOES_NOT_HOLD,
            found=DOES_NOT_HOLD if ended else HOLDS,
            evidence={
                "AnalysisRun": f"{runs[-1].run_phase}, {runs[-1].count} of value {runs[-1].value}",
                "clients_given_500_after_promotion": share,
            },
        )


def _release(app: Trial, also: list[Object]) -> Window | None:
    """Release the broken version; if it was promoted, return when clients got nothing else."""
    over = any_of(promoted(_BAD), aborted(version=_BAD))
    image = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/image",
        "value": f"{app.image}:{_BAD}",
    }
    with app.traffic(100):
        app.kube.patch(ROLLOUT, app.name, app.namespace, [image, *also])
        app.wait(over, within=120)
        app.stays(over, weights={_BAD: 100})
    records = app.records()
    is_promoted = records.of(RolloutRecord)[-1].promoted_full
    return windows(records, stream=ACTIVE)[-1].window if is_promoted else None
