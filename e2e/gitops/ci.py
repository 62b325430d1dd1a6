"""The CI job of docs/ci, run here against a trial's config repository."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.gitops.workflow import ROOT, run_job
from fixtures.gitops.repository import Commit
from fixtures.gitops_trial import GitOpsTrial

WORKFLOW = ROOT / "docs" / "ci" / "deploy.yml"


def deploy_by_ci(
    app: GitOpsTrial, tag: str, folder: Path, *, tools: Path | None = None
) -> tuple[Commit, str]:
    """Run the workflow that deploys a tag; return the commit that it pushed, and what its last step said.

    Args:
        app: The trial.
        tag: The image's tag.
        folder: For the steps' scripts.
        tools: A folder of programs that come before all others.
    """
    server = app.gitops.git
    context = {
        "vars.CONFIG_REPOSITORY": app.repository.url,
        "vars.CONFIG_REPOSITORY_USER": server.username,
        "secrets.CONFIG_REPOSITORY_TOKEN": server.password,
        "inputs.tag": tag,
    }
    folders = [*([str(tools)] if tools else []), str(app.gitops.kustomize.parent), os.environ["PATH"]]
    machine = {
        "PATH": os.pathsep.join(folders),
        "HOME": str(folder),
        "GIT_SSL_CAINFO": str(server.ca_file),
        # The server is on loopback.
        "no_proxy": "*",
    }
    with app.deploying(tag):
        began = app.timeline.clock()
        said = run_job(WORKFLOW, "bump-image", context, folder=folder, env=machine)
        return app.repository.seen(began), said[-1]
