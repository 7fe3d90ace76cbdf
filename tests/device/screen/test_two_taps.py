"""Whatever somebody wants of the screen is two taps away at most, in every state and every language."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from device.screen.model import Action, Kind
from device.screen.view import view
from tests.device.screen.fitting import DISPLAY, STAGE, opened
from tests.device.screen.gallery import GALLERY
from tests.device.screen.served import ShownKiosk, served
from tests.system.browser import chromium

pytestmark = pytest.mark.needs_chromium

_PLACED = """([screen, headline, then, notice, offer]) => document.body.dataset.screen === screen
  && document.title === headline && document.getElementById("then").textContent === then
  && document.getElementById("notice").textContent === notice
  && document.getElementById("offer").textContent.trim() === offer"""
_OFFERED = """() => [...document.querySelectorAll("[data-does]")]
  .filter((e) => e.dataset.does && e.getClientRects().length && !e.closest("[hidden]"))
  .filter((e) => { const b = e.getBoundingClientRect();
    const there = document.elementsFromPoint(b.x + b.width / 2, b.y + b.height / 2);
    return there.some((one) => one === e || e.contains(one)); })
  .map((e) => e.dataset.does)"""
"""What a finger can reach now: shown, and not beyond the edge of the display."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def does(action: Action) -> str:
    return action.kind.value if action.kind in {Kind.PRESS, Kind.HOLD} else f"{action.name}:{action.value}"


def offered(page: Page) -> set[str]:
    return set(page.evaluate(_OFFERED))


def second_taps(page: Page) -> set[str]:
    """What can be reached by a second tap: after each first one that only shows more, one after the other."""
    found: set[str] = set()
    if page.locator("#more").is_visible():
        page.locator("#more").click()
    elif page.evaluate("document.getElementById('tap').getAttribute('aria-disabled') === 'false'"):
        page.wait_for_timeout(550)  # sooner it would be the second half of a double tap
        page.mouse.click(*STAGE)
    if page.locator("#panel").is_visible():
        found |= offered(page)
        page.keyboard.press("Escape")
    return found


@pytest.mark.timeout(400)  # a hundred screens, and half a second before each tap
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_control_of_every_screen_is_two_taps_away(browser: Browser, language: str) -> None:
    boot = GALLERY["ready"]().at.boot
    kiosk = ShownKiosk(GALLERY["ready"]())
    wrong: dict[str, set[str]] = {}
    walked = 0
    with served(kiosk, language) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        for name, make in GALLERY.items():
            made = make()
            snapshot = replace(made, at=replace(made.at, boot=boot))
            kiosk.show(snapshot)
            found = view(snapshot, language)
            page.wait_for_function(
                _PLACED,
                arg=[found.screen, found.headline, found.then, found.notice, found.offer.label if found.offer else ""],
            )
            wanted = {does(one) for one in (*found.actions, *found.languages)}
            if found.offer and found.offer.kind is Kind.ASK:
                wanted.add(does(found.offer))
            reached = offered(page)
            # Where a tap anywhere is the button's press it would leave this screen; there "More" shows the rest.
            if found.tap.value == "reveal" or page.locator("#more").is_visible():
                reached |= second_taps(page)
            walked += len(wanted)
            if wanted - reached:
                wrong[name] = wanted - reached
        page.close()
    assert wrong == {}
    assert walked > 400, "it is the whole gallery that was walked"


@pytest.mark.parametrize(
    ("name", "first", "second", "asked"),
    [
        ("ended-early", "Why did the 10:15 end early?", "Student refused", ("reason", "student-declined")),
        ("ended-early", "Why did the 10:15 end early?", "Skip", ("skip-reason", "")),
        ("did-not-happen", "Why was there no 9:35?", "No staff or no room", ("reason", "no-staff-or-room")),
        ("ready-booking", "More", "Call an adult", ("help", "adult")),
        ("ready-booking", "More", "Student is not here", ("absent", "")),
        ("not-ready-covered", "More", "Something else is wrong", ("help", "other")),
    ],
)
def test_two_taps_do_it(browser: Browser, name: str, first: str, second: str, asked: tuple[str, str]) -> None:
    kiosk = ShownKiosk(GALLERY[name]())
    with served(kiosk) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        page.wait_for_timeout(700)
        page.get_by_role("button", name=first).click()
        page.get_by_role("button", name=second).click()
        deadline = time.monotonic() + 10
        while not kiosk.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        assert kiosk.asked == [asked]
        page.close()


def test_help_has_come_is_one_tap(browser: Browser) -> None:
    kiosk = ShownKiosk(GALLERY["call-in-session"]())
    with served(kiosk) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        page.wait_for_timeout(700)
        page.get_by_role("button", name="Help has come").click()
        expect(page.locator("#panel")).to_be_hidden()
        deadline = time.monotonic() + 10
        while not kiosk.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        assert kiosk.asked == [("help-over", "")]
        page.close()
