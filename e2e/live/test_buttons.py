"""The page of a cluster acts on its Rollouts, and shows what clients get from it meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.browser import Browser
from e2e.live.reading import SECONDS, wait_for
from e2e.types import StartTrial
from e2e.variants import canary_steps, combined, without_analysis
from fixtures.conditions.conditions import aborted, paused_at, promoted
from fixtures.core.process import spawn
from fixtures.core.retry import PendingError, until
from fixtures.timeline.recording import load
from fixtures.timeline.records import VerbRecord
from fixtures.trial.trial import Trial

_WAITS_FOR_SOMEBODY = canary_steps(20, None, 60, None)


@pytest.mark.violates(
    "pauses", reason="the page is of another process, so the trial does not know of its verbs"
)
def test_buttons_act_in_the_cluster_and_are_recorded(
    trial: StartTrial, chromium: str, tmp_path: Path
) -> None:
    with trial("canary", variant=combined(without_analysis, _WAITS_FOR_SOMEBODY)) as app, app.traffic():
        out, log = app.folder.parent, tmp_path / "log"
        with watching(app, out, log) as address, Browser(chromium, tmp_path / "browser") as page:
            page.open(address)
            choose(page, app)
            wait_for(page, "nothing is wrong")
            press(page, "set image", "1.1")
            app.wait(paused_at(1), within=60)
            wait_for(page, "waiting for somebody to promote or abort")
            wait_for(page, "agrees")
            press(page, "promote")
            app.wait(paused_at(3), within=60)
            press(page, "abort")
            app.wait(aborted(), within=60)
            wait_for(page, "aborted")
            press(page, "undo", "99", refused=True)
            wait_for(page, "revision 99")
    verbs = [(each.verb, each.detail) for each in load(app.folder).of(VerbRecord)]
    assert verbs[-3:] == [("deploy", "1.1"), ("promote", ""), ("abort", "")]


@pytest.mark.violates(
    "pauses", reason="the page is of another process, so the trial does not know of its verbs"
)
def test_what_no_trial_records_is_recorded(trial: StartTrial, chromium: str, tmp_path: Path) -> None:
    # Another output folder than the trial's: in this one nobody has recorded anything.
    out, variant = tmp_path / "out", combined(without_analysis, _WAITS_FOR_SOMEBODY)
    with (
        trial("canary", variant=variant) as app,
        watching(app, out, tmp_path / "log") as address,
        Browser(chromium, tmp_path / "browser") as page,
    ):
        page.open(address)
        choose(page, app)
        wait_for(page, "nothing is wrong")
        press(page, "set image", "1.1")
        wait_for(page, "waiting for somebody to promote or abort")
        press(page, "pause")
        wait_for(page, "somebody set spec.paused")
        press(page, "resume")
        wait_for(page, "waiting for somebody to promote or abort")
        press(page, "abort")
        app.wait(aborted(), within=60)
        wait_for(page, "aborted by somebody")
        press(page, "retry")
        app.wait(paused_at(1), within=60)
        wait_for(page, "waiting for somebody to promote or abort")
        press(page, "full")
        app.wait(promoted("1.1"), within=60)
        wait_for(page, "nothing is wrong")
        press(page, "undo", "1")
        wait_for(page, "waiting for somebody to promote or abort")
    # The cluster may still have the namespace of an earlier test, which is recorded, too.
    (folder,) = out.glob(f"watch-*/{app.namespace}-*")
    verbs = [(each.verb, each.detail) for each in load(folder).of(VerbRecord)]
    assert verbs == [
        ("deploy", "1.1"), ("pause", ""), ("resume", ""), ("abort", ""), ("retry", ""), ("promote", "full"),
        ("undo", "1"),
    ]  # fmt: skip


@contextmanager
def watching(app: Trial, out: Path, log: Path) -> Iterator[str]:
    """The address of the page of a trial's cluster."""
    program, cluster = Path(sys.executable).with_name("firedamp"), app.environment.cluster.name
    process = spawn([str(program), "watch", cluster, "--out", str(out)], log=log)
    try:
        yield until(lambda: _address(process, log), what="the page", timeout=SECONDS)
    finally:
        process.terminate()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    told = log.read_text() if log.exists() else ""
    assert process.poll() is None, told
    if "http://" not in told or "\n" not in told:
        raise PendingError("no address yet")
    return next(word for word in told.split() if word.startswith("http://"))


def choose(page: Browser, app: Trial) -> None:
    """Choose the tab of a trial; a cluster that others use as well may have further ones."""
    click(page, "#trials button", f"b.textContent.includes({app.namespace!r})")


def click(page: Browser, buttons: str, which: str) -> None:
    """Click a button that can be seen, once it is there."""
    find = f"[...document.querySelectorAll({buttons!r})].find((b) => b.offsetParent && {which})"

    def look() -> None:
        if not page.evaluate(f"{find} !== undefined"):
            raise PendingError(page.text()[:600])

    until(look, what=f"a button where {which}", timeout=SECONDS)
    page.evaluate(f"{find}.click()")


def press(page: Browser, verb: str, detail: str = "", *, refused: bool = False) -> None:
    """Press a button, and confirm it, as a reader does by keyboard."""
    click(page, ".verbs button", f"b.textContent === {verb!r}")
    assert page.evaluate("document.querySelector('dialog').open")
    if detail:
        page.evaluate(f"document.querySelector('dialog input').value = {detail!r}")
    page.evaluate("document.querySelector('dialog form').requestSubmit()")

    def look() -> None:
        is_open = page.evaluate("document.querySelector('dialog') !== null")
        problem = page.evaluate("document.querySelector('dialog [role=alert]')?.textContent")
        if is_open is not refused or (refused and not problem):
            raise PendingError(str(problem))

    until(look, what=f"the end of {verb}", timeout=SECONDS)
