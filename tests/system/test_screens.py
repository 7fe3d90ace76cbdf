"""The kiosk's screens and the board in a real browser: readable, nothing cut off, usable by everyone.

With `--screenshots DIR` the pictures are kept; those in docs/ are made this way.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.device.screen.fitting import STAGE, fits, opened
from tests.device.screen.gallery import GALLERY
from tests.device.screen.served import ShownKiosk, served
from tests.system.browser import barriers, cut_off, smaller_than
from tests.system.running import Demo, running_demo, until

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(400)]

KIOSK: Final[ViewportSize] = {"width": 1024, "height": 600}
KIOSK_LARGE: Final[ViewportSize] = {"width": 1920, "height": 1080}
LEAST_PX = 26
"""At 1024x600 on ten inches, from two metres."""
DOCUMENTED = (
    "ready-booking", "not-ready-covered", "starting", "live", "waiting", "offline", "paused", "ending", "ended",
    "ended-between", "ended-at-least", "refused-no-camera", "live-card", "live-other-card",
)  # fmt: skip

IN_BOTH = (
    "ready-in-five-minutes", "ready-therapist-late", "ready-cancelled", "not-ready-overdue", "did-not-happen",
    "looking", "looked-well", "looked-partly", "looked-covered",
    "waiting-late", "waiting-absent", "ended-early", "call-waits", "call-unanswered", "call-answered", "call-offline",
    "call-in-session",
)  # fmt: skip
"""What is shown in both languages, and the controls of some."""
CONTROLS = ("ready-booking", "live", "ended-early", "not-ready-overdue-of-eight", "live-of-eight")


def shown(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("() => document.querySelector('h1')?.textContent.trim().length > 0")
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_kiosk_screen_is_readable_and_has_no_barriers(
    browser: Browser, screenshots: Path, name: str
) -> None:
    with served(ShownKiosk(GALLERY[name]())) as address:
        page = browser.new_page(viewport=KIOSK)
        shown(page, address)
        assert cut_off(page) + smaller_than(page, LEAST_PX) == []
        assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 1
        assert barriers(page) == []
        page.screenshot(path=screenshots / f"kiosk-{name}.png")
        page.close()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", [*IN_BOTH, *(f"{one}+controls" for one in CONTROLS)])
def test_an_aides_screen_in_both_languages(browser: Browser, screenshots: Path, name: str, language: str) -> None:
    state, _, with_controls = name.partition("+")
    with served(ShownKiosk(GALLERY[state]()), language) as address:
        page = browser.new_page(viewport=KIOSK)
        opened(page, address)
        if with_controls and page.locator("#more").is_visible():
            page.locator("#more").click()
        elif with_controls:
            page.mouse.click(*STAGE)
        expect(page.locator("#panel")).to_be_visible(visible=bool(with_controls))
        page.wait_for_function("() => [...document.images].every((one) => one.complete)")
        assert fits(page) + smaller_than(page, LEAST_PX) == []
        assert barriers(page) == []
        page.screenshot(path=screenshots / f"kiosk-{name.replace('+', '-')}-{language}.png")
        page.close()


@pytest.mark.parametrize("name", ["ready-booking", "offline", "ended"])
def test_the_kiosk_screen_scales_to_a_large_display(browser: Browser, screenshots: Path, name: str) -> None:
    with served(ShownKiosk(GALLERY[name]())) as address:
        page = browser.new_page(viewport=KIOSK_LARGE)
        shown(page, address)
        assert cut_off(page) + smaller_than(page, LEAST_PX * 1.6) == []
        page.screenshot(path=screenshots / f"kiosk-large-{name}.png")
        page.close()


@pytest.fixture(scope="module")
def three(request: pytest.FixtureRequest) -> Iterator[Demo]:
    """Three kiosks on real clips; pictures that are kept show the drawn scenes, because the clips show a person."""
    with running_demo("--kiosks", "3", clips=not request.config.getoption("--screenshots")) as found:
        yield found


def tiles(page: Page) -> list[bytes]:
    """What stands where the two pictures are; the page exchanges the pictures themselves all the time."""
    page.wait_for_function("() => document.querySelectorAll('.tile img').length === 2")
    boxes = page.evaluate(
        "() => [...document.querySelectorAll('.tile')].map((e) => e.getBoundingClientRect().toJSON())"
    )
    return [
        page.screenshot(clip={"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]})
        for box in boxes
    ]


@pytest.mark.needs_mosquitto
def test_a_stranger_sees_the_whole_story_in_a_browser(browser: Browser, three: Demo, screenshots: Path) -> None:
    """Press on the screen, see moving pictures, see it on the board, cut, go on, restore, every minute arrives."""
    kiosk = three.kiosk
    screen = browser.new_page(viewport=KIOSK)
    shown(screen, kiosk.screen)
    expect(screen.locator("h1")).to_contain_text("Ready", timeout=15_000)
    before = tiles(screen)
    time.sleep(2.5)
    assert all(then != now for then, now in zip(before, tiles(screen), strict=True)), "both pictures move"
    screen.screenshot(path=screenshots / "demo-kiosk-ready.png")

    board = browser.new_page(viewport={"width": 1440, "height": 900})
    board.goto(three.told["sign_in"]["therapist"])
    row = board.locator(f"[id*='{kiosk.id}']").first
    expect(row).to_be_visible(timeout=15_000)
    expect(row).to_contain_text("Ready", timeout=10_000)

    screen.mouse.click(300, 300)
    expect(screen.locator("h1")).to_contain_text("In session", timeout=10_000)
    expect(row).to_contain_text("In session", timeout=5_000)
    until(lambda: kiosk.state["session"]["minutes"]["elapsed_ms"] > 7_000, 15, "the session runs")
    session = kiosk.state["session"]["id"]
    board.screenshot(path=screenshots / "board-1440.png")
    assert cut_off(board) == []
    assert barriers(board) == []

    kiosk.cut_link("reset")
    expect(screen.locator("h1")).to_contain_text("no network", timeout=10_000)
    screen.screenshot(path=screenshots / "demo-kiosk-offline.png")
    time.sleep(5)
    kiosk.restore_link()
    until(lambda: kiosk.state["link"]["up"], 40, "the link is back")

    kiosk.end_session()
    expect(screen.locator("h1")).to_contain_text("ended", timeout=10_000)
    kiosk.arrives(session)
    screen.screenshot(path=screenshots / "demo-kiosk-ended.png")

    board.goto(f"{three.url}/kiosks/{kiosk.id}")
    expect(board.locator("svg[role=img]").first).to_be_visible()
    board.screenshot(path=screenshots / "kiosk-page-1440.png", full_page=True)
    assert cut_off(board) == []
    assert barriers(board) == []
    screen.close()
    board.close()


@pytest.mark.needs_mosquitto
def test_the_board_on_a_telephone(browser: Browser, three: Demo, screenshots: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(three.told["sign_in"]["it"])
    expect(page.locator(f"[id*='{three.kiosk.id}']").first).to_be_visible(timeout=15_000)
    page.screenshot(path=screenshots / "board-390.png")
    assert cut_off(page) == []
    assert barriers(page) == []
    page.goto(f"{three.url}/kiosks/{three.kiosk.id}")
    page.screenshot(path=screenshots / "kiosk-page-390.png", full_page=True)
    assert cut_off(page) == []
    page.close()


@pytest.mark.needs_mosquitto
def test_the_labs_page_switches_for_people(browser: Browser, three: Demo, screenshots: Path) -> None:
    kiosk = three.kiosks[1]
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{three.lab}/")
    section = page.locator(f"[data-kiosk='{kiosk.id}']")
    expect(section.locator(".now")).to_contain_text("link up", timeout=10_000)
    section.get_by_role("button", name="Reset").click()
    expect(section.locator(".now")).to_contain_text("link down", timeout=10_000)
    page.screenshot(path=screenshots / "lab.png")
    section.get_by_role("button", name="Up", exact=True).click()
    expect(section.locator(".now")).to_contain_text("link up", timeout=40_000)
    cards = section.get_by_role("group", name="Cards on the desk").get_by_role("button")
    expect(cards).to_have_text(["None", "Blue fox", "Red boat", "Both"])
    for name, lying in (("Red boat", [11]), ("Both", [10, 11]), ("None", [])):
        cards.get_by_text(name).click()
        until(lambda lying=lying: kiosk.state["cards"] == lying, 15, f"{name} is on the desk")  # type: ignore[misc]
    assert cut_off(page) == []
    assert barriers(page) == []
    page.close()
