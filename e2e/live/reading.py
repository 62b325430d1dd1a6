"""What a reader of the page does: reads, waits, and goes back in time."""

from __future__ import annotations

from e2e.browser import Browser
from fixtures.core.retry import PendingError, until

SECONDS = 120.0
"""How long a test waits for anything on the page."""


def wait_for(page: Browser, text: str) -> None:
    """Wait until a text can be read."""

    def look() -> None:
        # What a style makes of the first letter counts as text.
        if text.lower() not in (shown := page.text()).lower():
            raise PendingError(shown[:600])

    until(look, what=f"{text!r} on the page", timeout=SECONDS)


def scrub(page: Browser, second: int) -> None:
    """Go to a second of the trial."""
    page.evaluate(
        f"""(() => {{ const moment = document.getElementById('moment'); moment.value = {second};
        moment.dispatchEvent(new Event('input')); }})()"""
    )
    wait_for(page, f"{second} s")
