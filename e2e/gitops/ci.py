"""Runs the CI job of docs/ci on this machine, against a config repository of the cluster's Git server."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.gitops.workflow import ROOT, run_job
from fixtures.addons.access import GitOps

WORKFLOW = ROOT / "docs" / "ci" / "deploy.yml"


def deploy_by_ci(
    gitops: GitOps, url: str, tag: str, folder: Path, *, tools: Path | None = None, password: str = ""
) -> str:
    """Run the workflow that deploys a tag, and return what its last step printed.

    Args:
        gitops: The Git server, and the kustomize to use.
        url: The URL of the config repository.
        tag: The image's tag.
        folder: Where the steps' scripts are written.
        tools: A folder of programs that comes first in PATH.
        password: Used instead of the right password.
    """
    server = gitops.git
    context = {
        "vars.CONFIG_REPOSITORY": url,
        "vars.CONFIG_REPOSITORY_USER": server.username,
        "secrets.CONFIG_REPOSITORY_TOKEN": password or server.password,
        "inputs.tag": tag,
    }
    folders = [*([str(tools)] if tools else []), str(gitops.kustomize.parent), os.environ["PATH"]]
    machine = {
        "PATH": os.pathsep.join(folders),
        "HOME": str(folder),
        "GIT_SSL_CAINFO": str(server.ca_file),
        # The server is on loopback.
        "no_proxy": "*",
    }
    return run_job(WORKFLOW, "bump-image", context, folder=folder, env=machine)[-1]
