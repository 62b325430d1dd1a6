"""Makes the pictures of the docs: the live page, a report and the index of a run, wide, narrow and dark.

python -m e2e.screenshots firedamp-out/demo docs/pictures --second 58 --index firedamp-out/index.html
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.browser import NAMES, Browser, find
from fixtures.core.errors import FiredampError
from fixtures.core.retry import PendingError, until
from fixtures.core.terminal import say
from fixtures.live.running import served_beside

# Width, height, and whether it is dark.
_LOOKS = {"wide": (1280, 800, False), "dark": (1280, 800, True), "narrow": (390, 844, False)}
_SECONDS = 120.0


def main() -> None:
    """Make the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trial", type=Path, help="the folder of a trial or demo that has ended")
    parser.add_argument("out", type=Path, help="the folder of the pictures")
    parser.add_argument(
        "--second", type=int, help="the moment of the trial that the page shows; else its end"
    )
    parser.add_argument("--index", type=Path, help="the index of a run")
    chosen = parser.parse_args()
    program = find()
    if program is None:
        raise FiredampError(f"no browser: none of {', '.join(NAMES)} is installed")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with served_beside([chosen.trial]) as address, _browser(program) as page:
        page.open(address)
        _shoot(page, chosen.out, "page", lambda: _ready(page, chosen.second))
        files = {"report": chosen.trial / "report.html", "index": chosen.index}
        for name, file in files.items():
            if file is not None:
                page.open(file.absolute().as_uri())
                _shoot(page, chosen.out, name, lambda: _loaded(page))


@contextmanager
def _browser(program: str) -> Iterator[Browser]:
    temporary = TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as folder, Browser(program, Path(folder) / "browser") as page:
        yield page


def _shoot(page: Browser, out: Path, name: str, ready: Callable[[], None]) -> None:
    for look, (width, height, dark) in _LOOKS.items():
        page.look(width, height, dark=dark)
        until(ready, what=f"{name}, {look}", timeout=_SECONDS)
        file = out / f"{name}-{look}.png"
        file.write_bytes(page.screenshot())
        say(f"{file}  {file.stat().st_size // 1024} kB")


def _ready(page: Browser, second: int | None) -> None:
    if page.evaluate("document.querySelectorAll('.uplot').length") != 4:
        raise PendingError("the charts are not drawn yet")
    if second is None:
        return
    words = f"at {second} s" if second < 60 else f"at {second // 60}:{second % 60:02}"
    if words not in page.text():
        page.evaluate(
            f"""(() => {{ const moment = document.getElementById('moment'); moment.value = {second};
            moment.dispatchEvent(new Event('input')); }})()"""
        )
        raise PendingError(f"the page does not show {words} yet")
    # What the server knew then, and a frame to draw it.
    page.evaluate("new Promise((done) => setTimeout(done, 1000))")


def _loaded(page: Browser) -> None:
    if page.evaluate("document.readyState") != "complete":
        raise PendingError("it is not loaded yet")
    page.evaluate("new Promise((done) => setTimeout(done, 1000))")


if __name__ == "__main__":
    main()
