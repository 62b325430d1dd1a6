"""Measures how late an answer is on the page: from its end to its pixel in the browser."""

from __future__ import annotations

import random
import time

from e2e.browser import Browser
from fixtures.core.record import to_line
from fixtures.core.retry import PendingError, until
from fixtures.live.files_for_test import BEGAN, CANARY, STABLE, Folder, request

# As often as the load generator writes.
_FLUSH_S = 0.05
_RATE, _APART_S = 200, (1.0, 1.6)
_SETTLE_S, _LAST_SECONDS = 2.0, 60.0
# Only marks have the colour of the canary. Answers go from the end of the grid to its begin, so that a mark
# is new if it is behind all that were there. It counts in the next frame: by then it was on the screen.
_PROBE = """(() => {
  const canvas = document.querySelector('[data-part=grid]');
  const marks = window.marks = [];
  let last = -1, isNew = false;
  const look = () => {
    if (isNew) marks.push(Date.now() / 1000);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let at = data.length - 4;
    while (at >= 0 && !(data[at] === 213 && data[at + 1] === 94 && data[at + 2] === 0)) at -= 4;
    isNew = at > last;
    last = at;
    requestAnimationFrame(look);
  };
  look();
})()"""


def pixel_delays(page: Browser, folder: Folder, marks: int) -> list[float]:
    """Write 200 answers/s as they end, some of them of a canary, and return how late the canary's are seen.

    Args:
        page: Shows the trial of the folder, whose canary gets weight already.
        folder: Of a trial without requests.
        marks: How many answers of the canary to wait for, one in a little more than a second.

    Returns:
        Seconds from the end of each such answer to the frame after its pixel.
    """
    page.evaluate(_PROBE)
    # So that the moments do not follow the pace of the server.
    chance = random.Random(1)
    due = [_SETTLE_S]
    while len(due) < marks:
        due.append(due[-1] + chance.uniform(*_APART_S))
    ended = _write(folder, due, due[-1] + _SETTLE_S)
    seen = until(lambda: _seen(page, ended[-1]), what="the last mark on the page", timeout=_LAST_SECONDS)
    # Two that come in one frame are seen as one.
    return [min(at for at in seen if at >= end) - end for end in ended]


def _seen(page: Browser, last: float) -> list[float]:
    seen = page.evaluate("window.marks")
    assert isinstance(seen, list)
    if not seen or seen[-1] < last:
        raise PendingError(f"{len(seen)} marks were seen")
    return seen


def _write(folder: Folder, due: list[float], seconds: float) -> list[float]:
    """Write the answers in real time; return when those of the canary ended, in Unix seconds."""
    began, number, marked = time.time(), 0, 0
    ended = []
    with (folder.path / "requests-active.jsonl").open("ab", buffering=0) as file:
        while (now := time.time() - began) < seconds:
            lines = []
            while (at := number / _RATE) + 0.004 <= now:
                is_mark = marked < len(due) and at >= due[marked]
                each = request(at, CANARY if is_mark else STABLE)
                lines.append(to_line(each))
                if is_mark:
                    marked += 1
                    ended.append(began + each.received - BEGAN)
                number += 1
            if lines:
                file.write(b"".join(lines))
            time.sleep(_FLUSH_S)
    return ended
