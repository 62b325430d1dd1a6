"""How late an answer is on the page, in a real browser. No cluster."""

from __future__ import annotations

from pathlib import Path

from e2e.browser import Browser
from e2e.live.pixels import Measured, pixel_delays
from e2e.live.reading import scrub, wait_for
from e2e.types import Report
from fixtures.live.files_for_test import Folder
from fixtures.live.running import served_beside
from loadgen.queries import percentile

# On a machine that wakes its processes up in time, nearly all answers are there within it; on any other, half
# of them.
_MOST_S, _IN_TIME_S = 0.5, 0.02
_HALF_HOUR_S, _MOST_HEAP_MB = 1800, 100


def test_an_answer_is_on_the_page_within_half_a_second(
    chromium: str, tmp_path: Path, numbers: Report
) -> None:
    folder = Folder(tmp_path / "out" / "shop")
    folder.begin()
    folder.release(0, weight=1)
    with served_beside([folder.path]) as address, Browser(chromium, tmp_path / "browser") as page:
        page.open(address)
        wait_for(page, "paused")
        measured = pixel_delays(page, folder, 50, rate=200)
    _judge(measured, numbers)


def test_so_it_is_after_half_an_hour_at_1000_requests_a_second(
    chromium: str, tmp_path: Path, numbers: Report
) -> None:
    folder = Folder(tmp_path / "out" / "shop")
    folder.begin()
    folder.release(60, weight=5)
    # A browser is sent as many cells and looks at any rate. The server's part is in `firedamp bench live`.
    folder.requests(0, _HALF_HOUR_S, each=20, rate=50)
    with served_beside([folder.path]) as address, Browser(chromium, tmp_path / "browser") as page:
        page.open(address)
        wait_for(page, "clients see 5.0%")
        measured = pixel_delays(page, folder, 25, rate=1000, since=_HALF_HOUR_S)
        heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        # The past of so long a trial is a question to the server away.
        page.evaluate("document.getElementById('live').focus()")
        scrub(page, 30)
        wait_for(page, "nothing is wrong")
    assert isinstance(heap, float | int)
    numbers(heap_mb=f"{heap:.0f}")
    assert heap < _MOST_HEAP_MB
    _judge(measured, numbers)


def _judge(measured: Measured, numbers: Report) -> None:
    delays, overslept = measured.delays, percentile(measured.overslept, 0.95)
    middle, late = percentile(delays, 0.5), percentile(delays, 0.95)
    numbers(
        delay_ms=f"{1000 * middle:.0f}",
        p95_ms=f"{1000 * late:.0f}",
        marks=len(delays),
        overslept_p95_ms=f"{1000 * overslept:.0f}",
    )
    all_delays = f"delays in ms: {sorted(round(1000 * each) for each in delays)}"
    assert middle <= _MOST_S, all_delays
    assert late <= _MOST_S or overslept > _IN_TIME_S, all_delays
