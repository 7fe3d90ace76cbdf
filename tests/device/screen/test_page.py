"""The page in a real browser: what a finger, a key and a lost kiosk do to it, and that every text fits."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from device.screen.view import view
from tests.device.screen.fitting import DISPLAY, STAGE, fits, opened
from tests.device.screen.gallery import GALLERY
from tests.device.screen.served import ShownKiosk, at_another_boot, served
from tests.system.browser import barriers, chromium

pytestmark = pytest.mark.needs_chromium

_PLACED = """([screen, then, help, figures]) => document.body.dataset.screen === screen
  && document.getElementById("then").textContent === then && document.getElementById("help").textContent === help
  && document.querySelectorAll("dt").length === figures"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    found = browser.new_page(viewport=DISPLAY)
    wrong: list[str] = []
    found.on("pageerror", lambda error: wrong.append(str(error)))
    yield found
    found.close()
    assert wrong == []


def headline(page: Page, words: str) -> None:
    expect(page.locator("#headline")).to_have_text(words, timeout=10_000)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


class TestAnotherBookingsCard:
    def test_not_this_student_is_one_tap_and_only_while_the_card_is_in_question(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live-other-card"]())
        with served(kiosk) as address:
            opened(page, address)
            expect(page.locator("#card")).to_have_text("Blue fox: confirmed.")
            button = page.get_by_role("button", name="Not this student")
            expect(button).to_be_visible()
            page.wait_for_timeout(700)
            button.click()
            until(lambda: kiosk.asked == [("not-this-student", "")])
            expect(page.locator("#toast")).to_have_text("Written down.")
            kiosk.show(GALLERY["live-other-card-objected"]())
            expect(button).to_be_hidden()
            expect(page.locator("#card")).to_have_text("")

    def test_a_finger_on_its_way_to_the_screen_presses_nothing_that_appears_under_it(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live-card"]())
        with served(kiosk) as address:
            opened(page, address)
            kiosk.show(GALLERY["live-other-card"]())
            page.wait_for_function(
                """() => { const one = document.getElementById("offer");
                  if (one.hidden) return false;
                  one.click();
                  return true; }"""
            )
            page.wait_for_timeout(500)
            assert kiosk.asked == []


class TestATapOutsideASession:
    def test_does_what_the_button_does(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.click(*STAGE)
            until(lambda: kiosk.asked == [("press", "screen")])

    def test_a_double_tap_is_one_press(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.dblclick(*STAGE)
            page.wait_for_timeout(700)
            assert kiosk.asked == [("press", "screen")]

    def test_keys_do_it_too(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            page.keyboard.press("Space")
            until(lambda: len(kiosk.asked) == 1)
            page.wait_for_timeout(600)
            page.keyboard.press("Enter")
            until(lambda: kiosk.asked == [("press", "screen")] * 2)

    def test_the_control_is_named_by_what_it_does(self, page: Page) -> None:
        with served(ShownKiosk(GALLERY["ready-booking"]())) as address:
            opened(page, address)
            expect(page.get_by_role("button", name="Start the 10:15 early")).to_be_visible()

    def test_while_paused_a_held_tap_ends_with_its_progress_in_sight(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["paused"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.move(*STAGE)
            page.mouse.down()
            expect(page.locator("#holding")).to_be_visible()
            until(lambda: kiosk.asked == [("hold", "screen")])
            page.mouse.up()
            page.wait_for_timeout(300)
            assert kiosk.asked == [("hold", "screen")]
            expect(page.locator("#holding")).to_be_hidden()


class TestATapInASession:
    def test_only_shows_the_controls_for_a_while(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            opened(page, address)
            assert page.locator("img").count() == 0
            page.mouse.click(*STAGE)
            expect(page.get_by_role("button", name="Pause")).to_be_visible()
            expect(page.locator("#tiles img")).to_have_count(2)
            assert kiosk.asked == []
            expect(page.locator("#panel")).to_be_hidden(timeout=12_000)
            assert page.locator("img").count() == 0
            given = kiosk.pictures_given
            page.wait_for_timeout(1_200)
            assert kiosk.pictures_given == given, "no picture is fetched that nobody sees"

    def test_the_tap_that_shows_them_presses_none(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            opened(page, address)
            page.clock.install(time=0)
            page.clock.pause_at(1)
            for _ in range(3):
                page.mouse.click(200, 150)  # where "Pause" appears
            page.wait_for_timeout(300)
            assert kiosk.asked == []
            page.clock.run_for(700)
            page.mouse.click(200, 150)
            until(lambda: kiosk.asked == [("press", "screen")])

    def test_then_the_controls_act(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.click(*STAGE)
            page.wait_for_timeout(700)
            page.get_by_role("button", name="+10 min").click()
            expect(page.locator("#toast")).to_have_text("10 minutes more.")
            page.get_by_role("button", name="Pause").click()
            until(lambda: kiosk.asked == [("extend", "10"), ("press", "screen")])
            page.get_by_role("button", name="Something else is wrong").click()
            until(lambda: kiosk.asked[2:] == [("help", "other")])
            expect(page.locator("#panel")).to_be_hidden()

    def test_ending_takes_two_seconds_of_holding(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.click(*STAGE)
            page.wait_for_timeout(700)
            button = page.get_by_role("button", name="Hold to end")
            button.hover()
            page.mouse.down()
            expect(button.locator(".fill")).not_to_have_css("width", "0px")
            page.mouse.up()
            expect(button.locator(".fill")).to_have_css("width", "0px")
            assert kiosk.asked == []
            page.mouse.down()
            until(lambda: kiosk.asked == [("hold", "screen")])
            page.mouse.up()

    def test_a_pause_closes_controls_and_pictures_at_once(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.click(*STAGE)
            expect(page.locator("#tiles img")).to_have_count(2)
            kiosk.show(GALLERY["paused"]())
            headline(page, "Paused")
            assert page.locator("img").count() == 0
            expect(page.locator("#panel")).to_be_hidden()

    def test_what_the_kiosk_refuses_is_said(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        kiosk.refuses = "No session is running."
        with served(kiosk) as address:
            opened(page, address)
            page.mouse.click(*STAGE)
            page.wait_for_timeout(700)
            page.get_by_role("button", name="+5 min").click()
            expect(page.locator("#toast")).to_have_text("That is not possible now.")


class TestTheKioskChanges:
    def test_the_page_follows_by_itself(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            for name, words in (
                ("starting", "Starting"),
                ("live", "In session"),
                ("offline", "In session, no network"),
            ):
                kiosk.show(GALLERY[name]())
                headline(page, words)

    def test_the_clock_goes_on_between_two_events(self, page: Page) -> None:
        with served(ShownKiosk(GALLERY["live"]())) as address:
            opened(page, address)
            expect(page.locator("#clock")).to_have_text("12:42", timeout=4_000)
            expect(page.locator("#clock")).to_have_text("12:43", timeout=4_000)

    def test_a_countdown_counts_and_is_announced_once(self, page: Page) -> None:
        with served(ShownKiosk(GALLERY["ending"]())) as address:
            opened(page, address)
            first = page.locator("#announce").text_content()
            headline(page, "Ending in 5")
            assert page.locator("#announce").text_content() == first

    def test_another_language_without_a_reload(self, page: Page) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            opened(page, address)
            page.get_by_role("button", name="Español").click()
            headline(page, "Listo")
            assert page.evaluate("document.documentElement.lang") == "es"

    def test_another_boot_loads_the_page_anew(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            page.evaluate("window.old = true")
            kiosk.show(at_another_boot(GALLERY["ready"]()))
            page.wait_for_function("() => window.old === undefined", timeout=10_000)
            headline(page, "Ready")

    def test_a_camera_that_gives_nothing_is_said_to(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            opened(page, address)
            expect(page.locator("#tiles img")).to_have_count(2)
            kiosk.blind = True
            expect(page.locator("#tiles")).to_contain_text("Desk camera: no picture")
            expect(page.locator("img")).to_have_count(0)
            kiosk.blind = False
            expect(page.locator("#tiles img")).to_have_count(2)


class TestTheKioskIsLost:
    def test_the_page_says_so_and_comes_back_by_itself(self, page: Page) -> None:
        kiosk = ShownKiosk(GALLERY["live"]())
        with served(kiosk) as address:
            port = int(address.rpartition(":")[2])
            opened(page, address)
            headline(page, "In session")
        expect(page.get_by_role("alert")).to_contain_text(
            "This screen has lost the kiosk. Wait a moment.", timeout=8_000
        )
        assert barriers(page) == []
        with served(ShownKiosk(GALLERY["paused"]()), port=port):
            headline(page, "Paused")
            expect(page.locator("#lost")).to_be_hidden()


def test_every_text_fits(browser: Browser) -> None:
    displays = [(1024, 600, "en"), (1024, 600, "es"), (1920, 1080, "es")]
    wrong: dict[str, list[str]] = {}
    boot = GALLERY["ready"]().at.boot
    with ExitStack() as open_:
        shown = []
        for width, height, language in displays:
            kiosk = ShownKiosk(GALLERY["ready"]())
            page = open_.enter_context(closing(browser.new_page(viewport={"width": width, "height": height})))
            opened(page, open_.enter_context(served(kiosk, language)))
            shown.append((kiosk, page, language))
        for name, make in GALLERY.items():
            made = make()
            snapshot = replace(made, at=replace(made.at, boot=boot))  # at another boot the page loads itself anew
            for kiosk, _, _ in shown:
                kiosk.show(snapshot)
            for _, page, language in shown:
                wanted = view(snapshot, language)
                page.wait_for_function(_PLACED, arg=[wanted.screen, wanted.then, wanted.help, len(wanted.figures)])
                found = fits(page)
                if found:
                    wrong[f"{name}, {page.viewport_size}, {language}"] = found
    assert wrong == {}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["live", "waiting", "offline", "live-next-waits", "ready-late", "paused", "ended"])
def test_the_controls_fit_and_have_no_barriers(page: Page, name: str, language: str) -> None:
    with served(ShownKiosk(GALLERY[name]()), language) as address:
        opened(page, address)
        if page.locator("#more").is_visible():
            page.locator("#more").click()
        else:
            page.mouse.click(*STAGE)
        expect(page.locator("#panel")).to_be_visible()
        assert fits(page) == []
        assert barriers(page) == []
