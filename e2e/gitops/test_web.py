"""The web interface of Argo CD and the Rollouts panel in it, in a browser, wherever they are served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from e2e.browser import Browser
from e2e.gitops.variants import canary_steps
from e2e.types import StartGitOpsTrial
from fixtures.addons.access import ArgoCd, GitOps
from fixtures.conditions.conditions import paused_at, weight_is
from fixtures.conditions.expectation import all_of
from fixtures.core import loopback
from fixtures.core.retry import PendingError, until
from fixtures.trial.gitops import GitOpsTrial

_PAGE_SECONDS = 90.0


@pytest.fixture
def interface(gitops: GitOps) -> ArgoCd:
    """Argo CD, where its API server has the web interface in it."""
    answer = _get(gitops.argocd, "", accept="text/html")
    if answer.status_code != requests.codes.ok or 'id="app"' not in answer.text:
        seen = f"HTTP {answer.status_code}: {answer.text.strip()[:80]}"
        pytest.skip(f"this API server of Argo CD serves no web bundle (GET / says {seen})")
    return gitops.argocd


@pytest.fixture
def extension(interface: ArgoCd) -> ArgoCd:
    """Argo CD with the Rollouts panel."""
    answer = _get(interface, "extensions.js")
    if "registerResourceExtension" not in answer.text or "Rollout" not in answer.text:
        pytest.skip(f"no Rollouts panel is installed (GET /extensions.js says HTTP {answer.status_code})")
    return interface


def test_the_web_interface_shows_the_application(
    interface: ArgoCd, chromium: str, gitops_trial: StartGitOpsTrial, tmp_path: Path
) -> None:
    with gitops_trial("canary") as app, _browser(interface, chromium, app, tmp_path) as page:
        page.open(f"{interface.url}/applications/argocd/{app.namespace}?view=tree")
        _until_seen(page, app.namespace, "Healthy", "Synced", app.first.revision[:7])


def test_the_panel_shows_what_the_api_says(
    extension: ArgoCd, chromium: str, gitops_trial: StartGitOpsTrial, tmp_path: Path
) -> None:
    with gitops_trial("canary", patches=[canary_steps(5, None)]) as app:
        app.deploy("1.1")
        app.wait(all_of(paused_at(1), weight_is(5)), within=60)
        panel = app.application.panel()
        node = f"argoproj.io/Rollout/{app.namespace}/payments/0"
        with _browser(extension, chromium, app, tmp_path) as page:
            page.open(f"{extension.url}/applications/argocd/{app.namespace}?node={node}&tab=extension-0")
            weights = (f"Set Weight {panel.set_weight}", f"Actual Weight {panel.actual_weight}")
            revisions = [f"Revision {each.revision}" for each in panel.replica_sets]
            _until_seen(page, "Canary", f"Step {panel.step}", *weights, *revisions, *panel.images)


def _get(argocd: ArgoCd, path: str, *, accept: str = "*/*") -> requests.Response:
    headers, verify = {"Accept": accept}, str(argocd.ca_file)
    return loopback.get(f"{argocd.url}/{path}", headers=headers, verify=verify, timeout=30)


@contextmanager
def _browser(argocd: ArgoCd, chromium: str, app: GitOpsTrial, folder: Path) -> Iterator[Browser]:
    """A browser that is logged in."""
    with Browser(chromium, folder / "browser", argocd.url, argocd.ca_file) as page:
        page.set_cookie(argocd.url, "argocd.token", app.application.api.token)
        yield page


def _until_seen(page: Browser, *texts: str) -> None:
    """Wait until the page shows all of these, however it breaks its lines."""

    def look() -> None:
        shown = " ".join(page.text().split())
        missing = [text for text in texts if text.lower() not in shown.lower()]
        if missing:
            raise PendingError(f"not shown: {', '.join(missing)}; but: {shown[:300]}")

    until(look, what="the page", timeout=_PAGE_SECONDS)
