"""An experiment as a step of a canary: a pod of each version, each with a weight and an analysis."""

from __future__ import annotations

from fixtures.conditions.expectation import Assessment, Condition, met, pending, unknown
from fixtures.judge.verdicts import Window, requests
from fixtures.kube.client import Object
from fixtures.timeline.recording import Recording
from fixtures.timeline.records import AnalysisRecord, PodRecord
from fixtures.timeline.state import State
from loadgen.statistics import Share

BASELINE, CANARY = "baseline", "canary"
_SPECS = {BASELINE: "stable", CANARY: "canary"}


def side_by_side(*, weight: int, measurements: int) -> Object:
    """The step: each version gets `weight` percent, and the step ends after so many measurements of each.

    The Services have explicit names: the status of an experiment may lose generated
    names, and then the weights are refused (docs/findings.md).
    """
    return {
        "experiment": {
            "scaleDownDelaySeconds": 5,
            "templates": [
                {"name": name, "specRef": spec, "weight": weight, "service": {"name": f"experiment-{name}"}}
                for name, spec in _SPECS.items()
            ],
            "analyses": [_analysis(name, measurements) for name in _SPECS],
        }
    }


def experiment_pods_are(*templates: str) -> Condition:
    """A condition: there are pods of exactly these templates of an experiment, in any state."""

    def check(state: State) -> Assessment:
        if not any(_template(str(pod.name)) for pod in state.ever(PodRecord)):
            return unknown("no pod of an experiment was ever seen")
        names = [str(pod.name) for pod in state.all(PodRecord)]
        present = sorted({template for name in names if (template := _template(name))})
        return (met if present == sorted(templates) else pending)(f"pods of templates {present or 'none'}")

    return Condition(f"experiment pods: {', '.join(templates) or 'none'}", check)


def run_phases(records: Recording) -> dict[str, str]:
    """The last phase of the AnalysisRun of each template."""
    runs = {str(run.name): str(run.run_phase) for run in records.present(AnalysisRecord)}
    return {template: phase for name, phase in runs.items() for template in _SPECS if name.endswith(template)}


def share_of_pods(records: Recording, stream: str, template: str, window: Window) -> Share:
    """The share of all responses that came from the pods of a template."""
    answered = [request for request in requests(records, stream, window) if request.version]
    return Share(sum(_template(request.pod or "") == template for request in answered), len(answered))


def _analysis(name: str, measurements: int) -> Object:
    return {
        "name": name,
        "templateName": "success-rate",
        "requiredForCompletion": True,
        "args": [
            {"name": "namespace", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "pod-hash", "value": f"{{{{templates.{name}.podTemplateHash}}}}"},
            {"name": "count", "value": str(measurements)},
        ],
    }


def _template(pod: str) -> str | None:
    """The experiment template that a pod belongs to; its ReplicaSet's name ends in the template's name."""
    replica_set = pod.rpartition("-")[0]
    return next((template for template in _SPECS if replica_set.endswith(f"-{template}")), None)
