"""The CI job of docs/ci on a real Git server: what it pushes, and what it does if another push was first."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from e2e.gitops.ci import deploy_by_ci
from e2e.gitops.rival import rival
from fixtures.addons.access import GitOps
from fixtures.core.process import CommandError
from fixtures.gitops.config import KUSTOMIZATION
from fixtures.gitops.repository import ConfigRepository

pytestmark = pytest.mark.scenario("git-2")


def test_it_sets_the_tag_and_nothing_else(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    repository = config_repository
    before = yaml.safe_load(repository.read(KUSTOMIZATION))
    said = deploy_by_ci(gitops, repository.url, "1.1", tmp_path)
    latest, first = repository.history()
    assert said == f"pushed {latest.revision}: firedamp.dev/payments:1.1\n"
    assert (latest.author, latest.message, latest.image, first.image) == ("ci", "payments 1.1", "1.1", "1.0")
    before["images"][0]["newTag"] = "1.1"
    repository.seen(0)
    assert {key: value for key, value in before.items() if value} == yaml.safe_load(
        repository.read(KUSTOMIZATION)
    )


def test_a_tag_that_is_there_already_needs_no_commit(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    deploy_by_ci(gitops, config_repository.url, "1.1", tmp_path)
    said = deploy_by_ci(gitops, config_repository.url, "1.1", tmp_path)
    assert said == "main has firedamp.dev/payments:1.1 already\n"
    assert len(config_repository.history()) == 2


def test_a_rejected_push_is_tried_again_on_top_of_the_one_before_it(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    with rival(config_repository, gitops.kustomize, tmp_path / "tools", pushes=2) as tools:
        said = deploy_by_ci(gitops, config_repository.url, "1.1", tmp_path, tools=tools)
    assert [line.partition(":")[0] for line in said.splitlines()][:2] == ["attempt 1 of 5", "attempt 2 of 5"]
    history = config_repository.history()
    assert [each.message for each in history] == ["payments 1.1", "rival 2", "rival 1", "payments 1.0"]
    assert history[0].image == "1.1"


def test_it_gives_up_when_others_are_always_first(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    tools = rival(config_repository, gitops.kustomize, tmp_path / "tools", pushes=9)
    with pytest.raises(CommandError, match="rejected 5 times; run the job again"), tools as folder:
        deploy_by_ci(gitops, config_repository.url, "1.1", tmp_path, tools=folder)
    assert {each.image for each in config_repository.history()} == {"1.0"}


def test_a_wrong_password_is_said_and_not_shown(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="Authentication failed for") as failure:
        deploy_by_ci(gitops, config_repository.url, "1.1", tmp_path, password="wr0ng")
    assert "wr0ng" not in str(failure.value)
    assert len(config_repository.history()) == 1


def test_a_tag_that_no_image_can_have_is_refused(
    gitops: GitOps, config_repository: ConfigRepository, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=r"no image can have the tag '1\.1; rm'"):
        deploy_by_ci(gitops, config_repository.url, "1.1; rm", tmp_path)
    assert len(config_repository.history()) == 1
