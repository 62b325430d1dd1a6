"""The test process that is killed in the middle of a fault.

`python -m e2e.faults.victim CLUSTER FAULT FOLDER`. It says so when the fault has begun, and then waits.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from e2e.faults.kinds import FAULT_KINDS, pod_of
from fixtures.environment.environment import Options, start
from fixtures.faults.faults import Fault
from fixtures.kube.kinds import VIRTUAL_SERVICE
from fixtures.trial.sample import sample_trial
from fixtures.trial.trial import Trial

BEGUN = "the fault has begun"
REPLICAS = 2
# What is over by itself, as a kill is, leaves nothing.
FAULTS: dict[str, Callable[[Trial], Fault]] = {
    "freeze-pod": lambda app: app.faults.freeze(pod_of(app), 15),
    "freeze-controller": lambda app: app.faults.freeze("argo-rollouts", 15),
    "freeze-api-server": lambda app: app.faults.api_server.freeze(5),
    "partition-controller": FAULT_KINDS["partition-controller"].begin,
    "unready-pod": FAULT_KINDS["unready-pod"].begin,
    "clock-of-controller": lambda app: app.faults.clock("argo-rollouts", -3600),
    "controller-away": lambda app: app.faults.away("argo-rollouts"),
    "two-controllers": lambda app: app.faults.replicas("argo-rollouts", 2),
    "lost-lease": FAULT_KINDS["lost-lease"].begin,
    "more-pods": FAULT_KINDS["more-pods"].begin,
    "full-disk": lambda app: app.faults.fill_disk(),
    "late-watches": lambda app: app.faults.delay_watch(5),
    "refuse-by-policy": FAULT_KINDS["refuse-weights"].begin,
    "refuse-by-webhook": lambda app: app.faults.api_server.refuse(VIRTUAL_SERVICE, status=503, share=0.5),
    "prometheus-away": FAULT_KINDS["prometheus-away"].begin,
    "prometheus-empty": lambda app: app.faults.prometheus.empty(),
    "prometheus-slow": lambda app: app.faults.prometheus.slow(3),
}


def _main(cluster: str, fault: str, folder: Path) -> None:
    environment = start(Options(reuse=cluster))
    with sample_trial(environment, "canary", folder, replicas=REPLICAS) as app:
        FAULTS[fault](app)
        print(BEGUN, flush=True)
        signal.pause()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
