"""A scenario with impossible settings is refused before any load is sent."""

from __future__ import annotations

import pytest

from e2e import variants
from e2e.analysis.metrics import BARE, metric
from e2e.analysis.variants import background, template
from e2e.types import StartTrial, Variant
from fixtures.core.errors import FiredampError
from fixtures.kube.kinds import ROLLOUT
from fixtures.trial.trial import Trial

_MISSPELT = metric("m", 'sum(rate(http_request_total{path="/payments"}[5s]))', BARE, count=1)


@pytest.mark.parametrize(
    ("version", "variant", "message"),
    [
        ("1.3", None, r"no version '1\.3'\n.*1\.2-5xx"),
        ("1.0", background("success"), r"canary\.analysis: no AnalysisTemplate 'success'\n.*success-rate"),
        ("1.0", variants.canary_steps(5, 105), r"canary\.steps\[1\]\.setWeight: 105 is not a weight"),
    ],
    ids=["version", "template", "weight"],
)
def test_what_cannot_be_is_refused_before_anything_is_applied(
    version: str, variant: Variant | None, message: str, trial: StartTrial
) -> None:
    # A trial's namespace is made when its block is entered, which here never comes.
    with pytest.raises(FiredampError, match=message):
        trial("canary", version=version, variant=variant)


def test_a_metric_or_a_version_that_does_not_exist_costs_no_request(trial: StartTrial) -> None:
    variant = variants.combined(template("misspelt", _MISSPELT), background("misspelt"))
    message = r"misspelt asks for 'http_request_total', which Prometheus does not have\n.*http_requests_total"
    with trial("canary", variant=variant) as app:
        before = _generation(app)
        with pytest.raises(FiredampError, match=message), app.traffic(100):
            pytest.fail("load was sent")
        assert not list(app.folder.glob("requests-*"))
        with pytest.raises(FiredampError, match=r"no version '9\.9'"):
            app.deploy("9.9")
        assert _generation(app) == before


def _generation(app: Trial) -> int:
    rollout = app.kube.get(ROLLOUT, app.name, app.namespace)
    assert rollout is not None
    return int(rollout["metadata"]["generation"])
