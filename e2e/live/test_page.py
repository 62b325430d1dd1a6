"""The live page in a real browser, on the files of a trial that a test writes step by step. No cluster."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from e2e.browser import Browser
from e2e.live.forwarding import way_to
from e2e.live.reading import scrub, wait_for
from fixtures.live.files_for_test import CANARY, Folder

HOSTILE = "</script><img src=x onerror='document.title=1'>\n\u202e"


def test_the_light_follows_what_clients_get(page: Browser, folder: Folder) -> None:
    wait_for(page, "1.0: claimed 100%, clients see 100.0%")
    assert word(page) == "agrees"
    folder.release(8, weight=20)
    folder.requests(8, 12)
    wait_for(page, "converging")
    wait_for(page, "paused")
    folder.requests(12, 24, each=5)
    wait_for(page, f"{CANARY}: claimed 20%, clients see 20.0%")
    folder.requests(24, 45, each=100)
    wait_for(page, "contradicted")
    assert page.evaluate("document.querySelectorAll('.uplot canvas').length") == 4


def test_what_clients_got_is_drawn(page: Browser, folder: Folder) -> None:
    wait_for(page, "1.0 400")
    folder.release(8, weight=50)
    folder.requests(8, 10, each=2, status=500)
    wait_for(page, f"{CANARY} 200, 200 failed")
    colours = page.evaluate(
        """(() => { const canvas = document.querySelector('[data-part=grid]');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set(); for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] === 255) seen.add([data[i], data[i + 1], data[i + 2]].join());
        return [...seen]; })()"""
    )
    assert isinstance(colours, list)
    # Blue of the stable version, vermillion of the canary.
    assert {"0,114,178", "213,94,0"} <= set(colours)


def test_names_from_outside_stay_text(page: Browser, folder: Folder) -> None:
    other = Folder(folder.path.parent / "other", name=HOSTILE)
    other.begin()
    other.requests(0, 1)
    wait_for(page, "other")
    page.evaluate("document.querySelector('[data-trial=other]').click()")
    wait_for(page, "onerror='document.title=1'")
    assert page.evaluate("document.querySelectorAll('img, main script').length") == 0
    assert page.evaluate("document.title") == "Firedamp live"


def test_no_script_of_another_place_can_run(page: Browser) -> None:
    wait_for(page, "agrees")
    script = """new Promise((done) => {
      addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));
      const made = document.createElement('script');
      made.textContent = 'window.ran = 1';
      document.body.append(made);
    })"""
    assert str(page.evaluate(script)).startswith("script-src")
    assert page.evaluate("window.ran") is None


def test_a_connection_that_drops_comes_back_and_misses_nothing(
    chromium: str, tmp_path: Path, address: str, folder: Folder
) -> None:
    parts = urlsplit(address)
    with way_to(parts.port or 0) as way, Browser(chromium, tmp_path / "other") as page:
        page.open(f"http://127.0.0.1:{way.port}{parts.path}")
        wait_for(page, "n = 1,")
        page.evaluate("window.before = document.querySelector('.pane')")
        way.cut()
        wait_for(page, "connecting again")
        folder.requests(8, 16)
        way.mend()
        wait_for(page, "n = 2,8")
        wait_for(page, "live")
        # The page was not loaded again.
        assert page.evaluate("window.before === document.querySelector('.pane')")


def test_trials_are_chosen_by_keyboard(page: Browser, folder: Folder) -> None:
    Folder(folder.path.parent / "other", name="other").begin()
    wait_for(page, "other")
    for _ in range(10):
        page.press("Tab")
        if page.evaluate("document.activeElement.dataset.trial") == "other":
            break
    page.press("Enter")
    wait_for(page, "other · shop-1 · other")


def test_names_and_steps_are_told_in_words(page: Browser, folder: Folder) -> None:
    name = "e2e_canary_test_abort.py_test_a_bad_version_is_aborted-0123456789.2"
    Folder(folder.path.parent / name, name="other").begin()
    wait_for(page, "a bad version is aborted.2")
    title = "document.querySelector('[data-trial$=\"0123456789.2\"]').title"
    assert page.evaluate(title) == name
    words = "import(new URL('static/words.js', location.href)).then((words) => {})"
    step = words.format("['setWeight: 5', 'pause: 20', 'pause'].map(words.step)")
    assert page.evaluate(step) == ["setWeight: 5%", "pause: 20 s", "pause"]


def test_the_scrubber_shows_what_was_known_then(page: Browser, folder: Folder) -> None:
    folder.release(8, weight=50)
    folder.requests(8, 30, each=2, status=500)
    wait_for(page, f"{CANARY} 200, 200 failed")
    scrub(page, 6)
    wait_for(page, "nothing is wrong")
    wait_for(page, "1.0 400")
    assert CANARY not in str(page.evaluate("document.querySelector('[data-part=key]').textContent"))
    assert page.evaluate("document.querySelector('[data-part=facts]').textContent.includes('Healthy')")
    page.press("Escape")
    wait_for(page, f"{CANARY} 200, 200 failed")


def test_a_range_filters_every_pane(page: Browser, folder: Folder) -> None:
    folder.release(8, weight=50)
    folder.requests(8, 30, each=2, status=500)
    wait_for(page, f"{CANARY} 200, 200 failed")
    scrub(page, 10)
    page.evaluate("document.getElementById('from').click()")
    scrub(page, 20)
    page.evaluate("document.getElementById('to').click()")
    # 10 s at 200 requests/s, every second one answered by the canary, with 500.
    wait_for(page, f"{CANARY}\t1,000\t1,000")
    wait_for(page, "10 s to 20 s")
    assert "deploy" not in str(page.evaluate("document.querySelector('.log').textContent"))
    page.evaluate("document.getElementById('whole').click()")
    wait_for(page, "deploy")


def word(page: Browser) -> object:
    return page.evaluate("document.querySelector('[data-part=word]').textContent")
