"""The Git server and Argo CD without an Application: whom they admit, and which webhooks they accept."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path

import pytest
import requests

from e2e.types import Report
from fixtures.addons import argocd
from fixtures.addons.access import GitOps, GitServer
from fixtures.addons.git_server import NAMESPACE, SERVICE, create_repository
from fixtures.artifacts.cache import Cache
from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.environment.environment import Environment
from fixtures.gitops.git import Access, Git
from fixtures.kube.client import pods_of

# git sends more than 1 MiB (http.postBuffer) in chunks of unknown number.
_LARGE = 3 << 20


def test_a_push_of_any_size_arrives_and_argo_cd_is_told(
    environment: Environment, gitops: GitOps, tmp_path: Path, numbers: Report
) -> None:
    name = f"sizes-{secrets.token_hex(3)}"
    create_repository(environment.kube, name)
    git = _clone(gitops.git, name, tmp_path / "one")
    for size in (10, _LARGE):
        (git.tree / "file").write_bytes(content := secrets.token_bytes(size))
        git("add", "file")
        git("commit", "--quiet", "--message", f"{size} bytes")
        began = time.monotonic()
        git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        numbers(**{f"push of {size:,} bytes": f"{time.monotonic() - began:.2f} s"})
    other = _clone(gitops.git, name, tmp_path / "two")
    assert (other.tree / "file").read_bytes() == content
    # The server writes its log once a second.
    log = until(lambda: _log(environment, name), what=f"{name} in the log of the Git server", timeout=60)
    assert gitops.git.password not in log
    # What is not signed with the right key, it refuses without a word of this.
    event = f"Received push event repo: {gitops.git.url_in_cluster}/{name}, revision: main"
    until(lambda: _heard(environment, event), what=f"{event!r} in the log of Argo CD", timeout=60)


@pytest.mark.parametrize("login", [None, ("firedamp", "guessed"), ("somebody", None)])
def test_nobody_gets_in_without_the_name_and_the_password(
    gitops: GitOps, login: tuple[str, str | None] | None
) -> None:
    server = gitops.git
    credentials = login and (login[0], login[1] or server.password)
    url = f"{server.url_from_host}/any.git/info/refs?service=git-upload-pack"
    assert loopback.get(url, auth=credentials, verify=str(server.ca_file), timeout=30).status_code == 401
    known = (server.username, server.password)
    assert loopback.get(url, auth=known, verify=str(server.ca_file), timeout=30).status_code == 404


def test_neither_is_trusted_by_the_authorities_of_this_machine(gitops: GitOps) -> None:
    for url in (gitops.git.url_from_host, gitops.argocd.url):
        with loopback.session() as session:
            session.trust_env = False
            with pytest.raises(requests.exceptions.SSLError):
                session.get(url, timeout=30)


def test_argo_cd_believes_push_events_with_the_servers_signature_alone(gitops: GitOps) -> None:
    assert _webhook_status(gitops, gitops.git.webhook_secret) == 200
    assert _webhook_status(gitops, "guessed") == 400
    assert _webhook_status(gitops, None) == 400


def test_argo_cd_lets_the_generated_password_in_alone(gitops: GitOps) -> None:
    assert _login(gitops, gitops.argocd.password) == 200
    assert _login(gitops, "guessed") == 401
    answer = loopback.get(f"{gitops.argocd.url}/api/v1/applications", verify=_ca(gitops), timeout=30)
    assert answer.status_code == 401


def test_no_seed_holds_a_key(gitops: GitOps) -> None:
    secrets = [b"PRIVATE KEY", gitops.argocd.password.encode(), gitops.git.webhook_secret.encode()]
    files = [path for path in Cache().root.glob("artifacts/stack-seed-*/**/*") if path.is_file()]
    assert files
    assert [path for path in files if any(each in path.read_bytes() for each in secrets)] == []


def _clone(server: GitServer, name: str, folder: Path) -> Git:
    folder.mkdir()
    url = f"{server.url_from_host}/{name}.git"
    git = Git(Access(url, server.username, server.password, server.ca_file), folder)
    git.clone()
    return git


def _log(environment: Environment, name: str) -> str:
    (pod,) = pods_of(environment.kube, NAMESPACE, f"app={SERVICE}")
    log = environment.kube.logs(pod["metadata"]["name"], NAMESPACE, SERVICE)
    if f"POST /{name}.git/git-receive-pack" not in log:
        raise PendingError(log[-200:])
    return log


def _heard(environment: Environment, event: str) -> None:
    (pod,) = pods_of(environment.kube, argocd.NAMESPACE, f"app.kubernetes.io/name={argocd.SERVER}")
    log = environment.kube.logs(pod["metadata"]["name"], argocd.NAMESPACE, argocd.SERVER, tail=200)
    if event not in log:
        raise PendingError(log[-200:])


def _webhook_status(gitops: GitOps, secret: str | None) -> int:
    repository = {"html_url": f"{gitops.git.url_in_cluster}/none", "default_branch": "main"}
    body = json.dumps({"ref": "refs/heads/main", "repository": repository, "commits": []}).encode()
    headers = {"X-GitHub-Event": "push", "Content-Type": "application/json"}
    if secret is not None:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature-256"] = f"sha256={digest}"
    url = f"{gitops.argocd.url}/api/webhook"
    return loopback.request(
        "POST", url, data=body, headers=headers, verify=_ca(gitops), timeout=30
    ).status_code


def _login(gitops: GitOps, password: str) -> int:
    login = {"username": gitops.argocd.username, "password": password}
    url = f"{gitops.argocd.url}/api/v1/session"
    return loopback.request("POST", url, json=login, verify=_ca(gitops), timeout=30).status_code


def _ca(gitops: GitOps) -> str:
    return str(gitops.argocd.ca_file)
