"""A third language, written from right to left, is one catalogue more: the page is its own mirror image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from device.screen import words
from device.screen.sentences import Words
from device.screen.view import view
from tests.device.screen.fitting import DISPLAY, fits, opened
from tests.device.screen.gallery import GALLERY
from tests.device.screen.mirrored import NAME, mirrored
from tests.device.screen.served import ShownKiosk, served
from tests.system.browser import barriers, chromium


@pytest.fixture
def hebrew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Words:
    found = mirrored(tmp_path)
    monkeypatch.setitem(words.TABLES, NAME, found)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_the_language_offers_itself_and_every_screen_speaks_it(hebrew: Words) -> None:
    offered = view(GALLERY["ready"](), "en").languages
    assert [(one.value, one.label) for one in offered] == [("es", "Español"), (NAME, hebrew.language_name)]
    assert [hebrew.minutes(n) for n in (1, 2, 8)] == [
        form.format(n=n) for n, form in zip((1, 2, 8), hebrew.minutes.forms, strict=True)
    ]
    for make in GALLERY.values():
        found = view(make(), NAME)
        assert (found.language, found.direction) == (NAME, "rtl")


@pytest.mark.needs_chromium
@pytest.mark.parametrize(
    "name", ["ready-booking", "live", "offline", "paused", "ended", "live-other-card", "refused-long"]
)
def test_the_page_is_mirrored_and_every_text_fits(browser: Browser, hebrew: Words, name: str) -> None:
    with served(ShownKiosk(GALLERY[name]()), NAME) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        assert page.evaluate("[document.documentElement.lang, getComputedStyle(document.body).direction]") == [
            NAME,
            "rtl",
        ]
        assert fits(page) == []
        assert barriers(page) == []
        assert left_of(page, "#headline", "h1 .shape")
        if view(GALLERY[name](), NAME).help:
            assert left_of(page, "#help", "#foot")
        page.close()


@pytest.mark.needs_chromium
def test_a_change_of_language_turns_an_open_page_round(browser: Browser, hebrew: Words) -> None:
    with served(ShownKiosk(GALLERY["ready"]())) as address:
        page = browser.new_page(viewport=DISPLAY)
        opened(page, address)
        assert left_of(page, "#words", "#tiles")
        page.get_by_role("button", name="Language").click()
        page.get_by_role("button", name=hebrew.language_name).click()
        expect(page.locator("#headline")).to_have_text(hebrew.ready)
        page.wait_for_function("() => document.documentElement.dir === 'rtl'")
        assert left_of(page, "#tiles", "#words")
        page.close()


def left_of(page: Page, one: str, other: str) -> bool:
    """Whether `one` ends before `other` begins, seen from the left."""
    first, second = (page.locator(name).bounding_box() for name in (one, other))
    assert first is not None
    assert second is not None
    return first["x"] + first["width"] <= second["x"] + 1
