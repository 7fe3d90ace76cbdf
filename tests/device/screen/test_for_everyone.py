"""The page for everyone: no barriers in either language, by keys alone, with text twice as large, on both displays."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.device.screen.fitting import DISPLAY, STAGE, fits, opened
from tests.device.screen.gallery import GALLERY
from tests.device.screen.served import ShownKiosk, served
from tests.system.browser import barriers, chromium

pytestmark = pytest.mark.needs_chromium

STATES = (
    "ready-in-five-minutes", "ready-therapist-late", "ready-cancelled", "did-not-happen", "waiting-late",
    "waiting-absent", "ended-early", "call-waits", "call-unanswered", "call-answered", "call-offline",
    "call-in-session", "call-paused",
)  # fmt: skip
LARGER: ViewportSize = {"width": 1280, "height": 800}
_BEYOND = """() => [...document.querySelectorAll("#words *, #panel *, footer *")]
  .filter((e) => e.getClientRects().length && !e.closest(".unseen, svg, [hidden]"))
  .filter((e) => { const b = e.getBoundingClientRect();
    const cut = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline";
    return b.right > innerWidth + 1 || b.left < -1 || cut; })
  .map((e) => `${e.id || e.tagName}: ${e.textContent.slice(0, 40)}`)"""
_REACHED = """() => { const page = document.scrollingElement; page.scrollTo(0, page.scrollHeight);
  return document.querySelector("footer").getBoundingClientRect().bottom <= innerHeight + 1; }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def controls(page: Page) -> None:
    if page.locator("#more").is_visible():
        page.locator("#more").click()
    else:
        page.mouse.click(*STAGE)
    expect(page.locator("#panel")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", STATES)
def test_no_barriers_and_everything_fits_on_both_displays(browser: Browser, name: str, language: str) -> None:
    with served(ShownKiosk(GALLERY[name]()), language) as address:
        for display in (DISPLAY, LARGER):
            page = browser.new_page(viewport=display)
            opened(page, address)
            assert fits(page) + barriers(page) == []
            page.close()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["not-ready-overdue-of-eight", "live-of-eight", "live-still-here", "ended-early"])
def test_many_controls_fit_and_have_no_barriers(browser: Browser, name: str, language: str) -> None:
    with served(ShownKiosk(GALLERY[name]()), language) as address:
        for display in (DISPLAY, LARGER):
            page = browser.new_page(viewport=display)
            opened(page, address)
            controls(page)
            assert fits(page) + barriers(page) == []
            page.close()


@pytest.mark.parametrize("name", ["ready-booking", "live", "offline", "ended-early", "call-in-session", "refused-long"])
def test_text_twice_as_large_is_twice_as_large_and_nothing_is_lost(browser: Browser, name: str) -> None:
    with served(ShownKiosk(GALLERY[name]()), "es") as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        size = "parseFloat(getComputedStyle(document.getElementById('help')).fontSize)"
        before = page.evaluate(size)
        page.evaluate(
            "document.documentElement.style.fontSize = '32px'"
        )  # what a browser set to "very large" starts from
        page.evaluate("dispatchEvent(new Event('resize'))")
        assert page.evaluate(size) == pytest.approx(2 * before)
        assert page.evaluate(_BEYOND) == []
        assert page.evaluate(_REACHED), "the page can be scrolled to its end"
        assert barriers(page) == []
        if page.locator("#more").is_visible():
            page.locator("#more").click()
        else:
            page.locator("#tap").dispatch_event("click")
        expect(page.locator("#panel")).to_be_visible()
        assert page.evaluate(_BEYOND) == []
        page.close()


def test_keys_alone_call_an_adult(browser: Browser) -> None:
    kiosk = ShownKiosk(GALLERY["ready-booking"]())
    with served(kiosk) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        _to(page, "More")
        page.keyboard.press("Enter")
        expect(page.locator("#panel")).to_be_visible()
        _to(page, "Call an adult")
        page.keyboard.press("Enter")
        expect(page.locator("#panel")).to_be_hidden()
        assert kiosk.asked == [("help", "adult")]
        page.close()


def test_what_changes_is_announced_politely(browser: Browser) -> None:
    kiosk = ShownKiosk(GALLERY["ready-booking"]())
    with served(kiosk) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        assert (
            page.evaluate("['announce', 'notice', 'toast'].map((id) => document.getElementById(id).role)")
            == ["status"] * 3
        )
        kiosk.show(GALLERY["ready-in-five-minutes"]())
        expect(page.locator("#notice")).to_have_text("The 10:15 starts in 5 minutes.")
        kiosk.show(GALLERY["call-unanswered"]())
        expect(page.locator("#announce")).to_have_text("Ready. No one has answered yet. Call 214.")
        kiosk.show(GALLERY["call-answered"]())
        expect(page.locator("#announce")).to_have_text("Ready. The point person has answered.")
        page.close()


def _to(page: Page, name: str) -> None:
    """Tab until the control has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    pytest.fail(f"no key leads to {name!r}")
