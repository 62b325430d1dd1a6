"""Measures how late an answer is on the page: from its end to its pixel in the browser."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from e2e.browser import Browser
from fixtures.core.record import to_line
from fixtures.core.retry import PendingError, until
from fixtures.live.files_for_test import BEGAN, CANARY, STABLE, Folder, request

# As often as the load generator writes.
_FLUSH_S = 0.05
_APART_S = (1.0, 1.6)
_SETTLE_S, _LAST_SECONDS = 2.0, 60.0
# So short that the last mark is still in the grid when all is written, however late it is drawn.
_END_S = 0.1
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


@dataclass
class Measured:
    """What was measured.

    Attributes:
        delays: Seconds from the end of each answer of the canary to the frame after its pixel.
        overslept: By how many seconds this process woke up late, each time that it wanted to write. So it
            says how busy the machine is, whatever the page does.
    """

    delays: list[float] = field(default_factory=list)
    overslept: list[float] = field(default_factory=list)


def pixel_delays(page: Browser, folder: Folder, marks: int, *, rate: int, since: float = 0) -> Measured:
    """Write answers as they end, some of them of a canary, and return how late the canary's are seen.

    Args:
        page: Shows the trial of the folder, whose canary gets weight already.
        folder: Of this trial.
        marks: How many answers of the canary to wait for, one in a little more than a second.
        rate: Answers per second.
        since: The second of the trial at which they begin; there are no requests from it on.
    """
    page.evaluate(_PROBE)
    # So that the moments do not follow the pace of the server.
    chance = random.Random(1)
    due = [_SETTLE_S]
    while len(due) < marks:
        due.append(due[-1] + chance.uniform(*_APART_S))
    measured = Measured()
    ended = _write(folder, due, rate, since, measured.overslept)
    seen = until(lambda: _seen(page, ended[-1]), what="the last mark on the page", timeout=_LAST_SECONDS)
    # Two that come in one frame are seen as one.
    measured.delays = [min(at for at in seen if at >= end) - end for end in ended]
    return measured


def _seen(page: Browser, last: float) -> list[float]:
    seen = page.evaluate("window.marks")
    assert isinstance(seen, list)
    if not seen or seen[-1] < last:
        raise PendingError(f"{len(seen)} marks were seen")
    return seen


def _write(folder: Folder, due: list[float], rate: int, since: float, overslept: list[float]) -> list[float]:
    """Write the answers in real time; return when those of the canary ended, in Unix seconds."""
    began, number, marked = time.time(), 0, 0
    ended = []
    with (folder.path / "requests-active.jsonl").open("ab", buffering=0) as file:
        while (now := time.time() - began) < due[-1] + _END_S:
            lines = []
            while (at := number / rate) + 0.004 <= now:
                is_mark = marked < len(due) and at >= due[marked]
                each = request(since + at, CANARY if is_mark else STABLE)
                lines.append(to_line(each))
                if is_mark:
                    marked += 1
                    ended.append(began + each.received - BEGAN - since)
                number += 1
            if lines:
                file.write(b"".join(lines))
            wakes = time.monotonic() + _FLUSH_S
            time.sleep(_FLUSH_S)  # how much longer it takes says how busy the machine is
            overslept.append(time.monotonic() - wakes)
    return ended
