"""Fixtures for tests of GitOps."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.addons.access import GitOps
from fixtures.addons.git_server import create_repository
from fixtures.environment.environment import Environment
from fixtures.gitops.config import seed
from fixtures.gitops.git import Access
from fixtures.gitops.repository import ConfigRepository
from fixtures.timeline.timeline import Timeline
from sample_app.versions import IMAGE


@pytest.fixture
def config_repository(environment: Environment, gitops: GitOps, tmp_path: Path) -> Iterator[ConfigRepository]:
    """A config repository that no Application deploys."""
    name, server = f"ci-{secrets.token_hex(3)}", gitops.git
    create_repository(environment.kube, name)
    access = Access(f"{server.url_from_host}/{name}.git", server.username, server.password, server.ca_file)
    with Timeline(tmp_path / "timeline") as timeline:
        repository = ConfigRepository(access, tmp_path / "clone", timeline, image=IMAGE)
        repository.commit(files=seed("canary", namespace="shop", tag="1.0"), message="payments 1.0")
        yield repository
