"""Runs the steps of a GitHub Actions workflow on this machine, as a runner would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fixtures.core.process import run

ROOT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
_STEP_SECONDS = 120.0


def run_job(
    workflow: Path, job: str, context: Mapping[str, str], *, folder: Path, env: Mapping[str, str]
) -> list[str]:
    """Run each `run` step of a job and return what each printed.

    For the action that checks out the repository, this checkout is used; any other action is refused.

    Args:
        workflow: The file.
        job: Name of the job.
        context: The values of expressions, such as "secrets.TOKEN"; an unknown expression is an error.
        folder: Where the steps' scripts are written.
        env: The environment variables of the runner's machine.
    """
    described = yaml.safe_load(workflow.read_text())["jobs"][job]
    shared = {**env, **_resolved(described.get("env", {}), context)}
    printed = []
    for number, step in enumerate(described["steps"]):
        if "run" not in step:
            assert step["uses"].startswith("actions/checkout@"), f"no stand-in for {step['uses']}"
            continue
        script = folder / f"step-{number}.sh"
        script.write_text(_resolve(step["run"], context))
        # As the runner does it for a step without `shell`.
        variables = {**shared, **_resolved(step.get("env", {}), context)}
        printed.append(run(["bash", "-e", script], timeout=_STEP_SECONDS, cwd=ROOT, env=variables))
    return printed


def _resolved(variables: Mapping[str, Any], context: Mapping[str, str]) -> dict[str, str]:
    return {name: _resolve(str(value), context) for name, value in variables.items()}


def _resolve(text: str, context: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda expression: context[expression[1]], text)
