"""A router's own metrics tell a bad version from a good one, as those of the app do."""

from __future__ import annotations

import pytest

from e2e.canary.aborting import abort_of_5xx
from e2e.types import Report, StartTrial
from e2e.variants import judged_by, manifest_of
from fixtures.kube.client import Object

# For each router: what counts the answers of the canary, and which of them are 5xx.
_CANARY = "{{args.namespace}}-payments-canary-80"
_COUNTED = {
    "nginx": (f'nginx_ingress_controller_requests{{canary="{_CANARY}"%s}}', ', status=~"5.."'),
    "traefik": (f'traefik_service_requests_total{{service="{_CANARY}@kubernetescrd"%s}}', ', code=~"5.."'),
}


@pytest.mark.parametrize("router", [pytest.param(each, marks=pytest.mark.router(each)) for each in _COUNTED])
def test_a_version_that_answers_5xx_is_aborted_by_the_metrics_of_the_router(
    trial: StartTrial, numbers: Report, router: str
) -> None:
    series, bad = _COUNTED[router]

    def by_the_router(objects: list[Object]) -> None:
        judged_by("success-rate")(objects)
        (metric,) = manifest_of(objects, "AnalysisTemplate", "success-rate")["spec"]["metrics"]
        failed, every = (f"sum(rate({series % condition}[5s]))" for condition in (bad, ""))
        metric["provider"]["prometheus"]["query"] = f"1 - ({failed} or vector(0)) / {every}"

    with trial("canary", router=router, variant=by_the_router) as app:
        numbers(**abort_of_5xx(app))
