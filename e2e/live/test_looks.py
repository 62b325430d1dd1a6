"""The page as readers look at it: on a phone, in the dark, by keyboard; and the axis of shares."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest

from e2e.browser import Browser
from e2e.live.reading import wait_for
from fixtures import live
from fixtures.core.retry import PendingError, until
from fixtures.live.files_for_test import CANARY, Folder
from fixtures.live.message import message
from fixtures.live.trial import LiveTrial

# The most of the share's axis, of a chart that is made of a message as the page makes one.
_AXIS = """(async () => {
  const load = (file) => import(new URL(`static/${file}.js`, location.href));
  const [{ Charts }, { Trial }] = await Promise.all([load("charts"), load("model")]);
  const places = Object.fromEntries(["share", "rate", "failed", "latency"].map((name) => {
    const place = document.createElement("div");
    place.className = "plot";
    document.body.append(place);
    return [name, place];
  }));
  const [trial, charts] = [new Trial("it"), new Charts(places, () => null)];
  trial.take(TOLD);
  charts.draw(trial, { moment: null, range: null });
  await new Promise(requestAnimationFrame);
  return charts.plots.get("share").scales.y.max;
})()"""


@pytest.mark.parametrize("width", [320, 360, 768])
def test_it_fits_a_phone(page: Browser, folder: Folder, width: int) -> None:
    folder.release(8, weight=20)
    folder.requests(8, 12, each=5, status=500)
    page.look(width, 800)
    wait_for(page, f"{CANARY} 80, 80 failed")
    # Not the window's own width, which grows with its content on a phone.
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert isinstance(widest, int)
    assert widest <= width


def test_in_the_dark_everything_is_drawn_in_the_colours_of_the_dark(page: Browser) -> None:
    css = (Path(live.__file__).parent / "static" / "style.css").read_text()
    light, dark = (re.findall(r"--v0: (#\w+)", css)[place] for place in (0, 1))
    for colour, is_dark in ((light, False), (dark, True)):
        page.look(1280, 900, dark=is_dark)
        wait_for(page, "1.0 400")
        until(partial(_require_square, page, colour), what=f"squares in {colour}", timeout=60)


def test_a_moment_is_chosen_by_keyboard(page: Browser) -> None:
    wait_for(page, "1.0 400")
    for _ in range(30):
        page.press("Tab")
        if page.evaluate("document.activeElement.id") == "moment":
            break
    # The bar has at least 10 s.
    for _ in range(3):
        page.press("ArrowLeft")
    wait_for(page, "at 7 s")
    assert page.evaluate("document.getElementById('moment').getAttribute('aria-valuetext')") == "at 7 s"
    page.press("Escape")
    wait_for(page, "now")


def test_the_axis_of_shares_ends_at_all_answers(page: Browser, folder: Folder) -> None:
    wait_for(page, "1.0 400")
    trial = LiveTrial(folder.path)
    while trial.poll():
        pass
    most = page.evaluate(_AXIS.replace("TOLD", json.dumps(message(trial, "it", 0))))
    assert most == pytest.approx(103), "a version has all answers, and nothing is above 100%"


def _require_square(page: Browser, colour: str) -> None:
    """Require that the first square of the grid has this colour."""
    drawn = page.evaluate(
        """(() => { const canvas = document.querySelector('[data-part=grid]');
        const [r, g, b] = canvas.getContext('2d').getImageData(5, 5, 1, 1).data;
        return '#' + [r, g, b].map((each) => each.toString(16).padStart(2, '0')).join(''); })()"""
    )
    if drawn != colour.lower():
        raise PendingError(f"it is {drawn}")
