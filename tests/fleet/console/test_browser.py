"""The console in a real Chromium: what renews itself, what stays, and what it says when it cannot know."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from fleet.views import KioskView
from tests.fleet.console.district import District, console
from tests.fleet.console.made_up import kiosk, session, signal, span
from wire.minutes import Mode
from wire.signals import Severity, Verdict

pytestmark = pytest.mark.needs_chromium

WITHIN_MS = 10_000
"""How long a test waits for what must come; the goal of 5 s is measured elsewhere."""


@dataclass
class Site:
    """A served console that can be stopped and started at the same address."""

    district: District
    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    """By kiosk: the verdict it answers a check with; one that is not named never answers."""
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        app = console(self.district)
        self._add_commands(app)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _add_commands(self, app: FastAPI) -> None:
        @app.post("/api/v1/kiosks/{kiosk_id}/commands", status_code=202)
        def send(kiosk_id: str) -> dict[str, str]:
            return {"id": "c-1", "state": "waiting"}

        @app.get("/api/v1/kiosks/{kiosk_id}/commands/{command}")
        def look(kiosk_id: str, command: str) -> dict[str, object]:
            if kiosk_id not in self.answers:
                return {"id": command, "state": "waiting"}
            reply = {"ok": True, "result": {"verdict": self.answers[kiosk_id]}}
            return {"id": command, "state": "answered", "reply": reply}


def everything() -> District:
    """Eight kiosks in all conditions."""
    spans = [span(0, 300, therapist=True), span(300, 340, Mode.PAUSED), span(340, 700, therapist=True)]
    now = datetime.now(UTC)
    live = session(spans, "running", id="s-live", started_at=now)
    silent = session(spans, "running", id="s-silent", kiosk="grant-2", started_at=now)
    ended = session(
        [*spans, span(700, 760, Mode.INTERRUPTED, cause="power"), span(760, 900, link_up=False)], id="s-old"
    )
    both = tuple(signal("camera.missing", role, severity=Severity.BLOCKED) for role in ("front", "overhead"))
    return District(
        [
            kiosk(state="live", session=live, verdict=Verdict.ATTENTION, signals=(signal("camera.glare", "overhead"),)),
            kiosk("lincoln-library", state="buffering", signals=(signal("link.down"),)),
            kiosk("grant-7", campus="grant", state="paused"),
            kiosk("grant-2", "unknown", campus="grant", state="live", session=silent, heard_s=70),
            kiosk("gym-1", verdict=Verdict.BLOCKED, signals=both),
            kiosk("room-12", verdict=Verdict.ATTENTION, signals=(signal("camera.covered", "overhead"),)),
            kiosk("room-13", "offline", heard_s=4_000),
            kiosk("room-14"),
        ],
        [live, silent, ended],
    )


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(everything())
    site.start()
    yield site
    site.stop()


def covered(name: str = "room-14") -> KioskView:
    return kiosk(name, verdict=Verdict.ATTENTION, signals=(signal("camera.covered", "overhead"),))


def test_a_change_arrives_without_a_reload(site: Site, page: Page) -> None:
    page.goto(site.url)
    row = page.locator("#k-room-14")
    expect(row).to_contain_text("Ready")
    page.evaluate("window.stayed = true")
    site.district.put(covered())
    expect(row).to_contain_text("The desk camera is covered.", timeout=WITHIN_MS)
    expect(page.locator("#summary")).to_contain_text("2 need a hand", timeout=WITHIN_MS)
    names = page.locator("#board h2").all_inner_texts()
    assert names.index("room-14") == names.index("room-12") + 1, "it moved to those that need a hand"
    assert page.evaluate("window.stayed")


def test_a_new_kiosk_appears_by_itself(site: Site, page: Page) -> None:
    page.goto(site.url)
    expect(page.locator("#board > li")).to_have_count(8)
    site.district.put(kiosk("aaa-new"))
    expect(page.locator("#board > li")).to_have_count(9, timeout=WITHIN_MS)


def test_news_takes_neither_focus_nor_answer(site: Site, page: Page) -> None:
    site.answers["room-14"] = "ready"
    page.goto(site.url)
    button = page.get_by_role("button", name="Check now room-14")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer-room-14")).to_contain_text("It checked itself: ready.", timeout=WITHIN_MS)
    expect(page.locator("#said")).to_contain_text("room-14: It checked itself: ready.")
    site.district.put(covered())
    expect(page.locator("#k-room-14")).to_contain_text("covered", timeout=WITHIN_MS)
    expect(button).to_be_focused()
    expect(page.locator("#answer-room-14")).to_contain_text("It checked itself: ready.")


def test_a_kiosk_that_does_not_answer_is_said_to_be_silent(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.get_by_role("button", name="Check now gym-1").click()
    expect(page.locator("#answer-gym-1")).to_have_text("Asking the kiosk …")
    expect(page.locator("#answer-gym-1")).to_contain_text("No answer within 10 s.", timeout=20_000)


def test_ages_and_session_clocks_count_on(site: Site, page: Page) -> None:
    page.goto(site.url)
    clock, age = page.locator("#k-lincoln-12 .clock"), page.locator("#k-lincoln-12 time")
    before = clock.inner_text(), age.inner_text()
    assert before[0].count(":") == 1
    expect(clock).not_to_have_text(before[0], timeout=WITHIN_MS)
    expect(age).not_to_have_text(before[1], timeout=WITHIN_MS)


def test_a_lost_connection_is_said_and_found_again(site: Site, page: Page) -> None:
    page.goto(site.url)
    expect(page.locator("#day")).to_contain_text(":")
    lost = page.locator("#lost")
    expect(lost).to_be_hidden()
    site.stop()
    expect(lost).to_contain_text("This page lost its connection at", timeout=WITHIN_MS)
    frozen = page.locator("#k-lincoln-12 .clock").inner_text()
    page.wait_for_timeout(2_200)
    assert page.locator("#k-lincoln-12 .clock").inner_text() == frozen, "nobody knows whether the session goes on"
    site.district.all_kiosks["room-14"] = covered()
    site.start()
    expect(lost).to_be_hidden(timeout=20_000)
    expect(page.locator("#k-room-14")).to_contain_text("covered", timeout=WITHIN_MS)


def test_the_kiosk_page_renews_itself_and_keeps_what_is_open(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/kiosks/room-12")
    summary = page.locator("#signals + ul summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#signals + ul details").first).to_have_attribute("open", "")
    more = (signal("camera.covered", "overhead"), signal("storage.low"))
    site.district.put(kiosk("room-12", verdict=Verdict.ATTENTION, signals=more))
    expect(page.locator(".hero")).to_contain_text("Storage runs low.", timeout=WITHIN_MS)
    expect(page.locator("#signals + ul details").first).to_have_attribute("open", "")
    expect(page.locator("#signals + ul summary").first).to_be_focused()


@pytest.mark.parametrize(("path", "button"), [("/kiosks/room-12", "Identify"), ("", "Identify room-12")])
def test_no_news_takes_a_button_from_under_the_finger(site: Site, page: Page, path: str, button: str) -> None:
    page.goto(site.url + path)
    expect(page.locator("body[data-listens]")).to_be_attached()
    pressed = page.get_by_role("button", name=button).first
    pressed.hover()
    page.mouse.down()
    pressed.evaluate(
        "one => { one.dataset.pressed = ''; one.addEventListener('click', () => { window.clicked = 1; }); }"
    )
    more = (signal("camera.covered", "overhead"), signal("storage.low"))
    site.district.put(kiosk("room-12", verdict=Verdict.ATTENTION, signals=more))
    page.wait_for_timeout(1_500)
    expect(page.locator("[data-pressed]")).to_have_count(1)
    page.mouse.up()
    expect(page.locator("#main")).to_contain_text("Storage runs low.", timeout=WITHIN_MS)
    assert page.evaluate("window.clicked") == 1


def test_the_keyboard_reaches_everything(site: Site, page: Page) -> None:
    page.goto(site.url)
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(document.activeElement.innerText ?? document.activeElement.id).trim()"))
    assert reached[0] == "Skip to the content"
    wanted = {"Board", "Sign out", "Find", "room-14", "Open room-14", "Check now room-14", "Identify room-14"}
    assert wanted <= {" ".join(text.split()) for text in reached}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_pages_are_accessible_and_fit(site: Site, browser: Browser, width: int, height: int, scheme: str) -> None:
    # The policy is bypassed for axe alone, which is put into the page as a script of its own.
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
    )
    page = context.new_page()
    paths = (
        "/",
        "/?q=nothing-like-it",
        "/kiosks/lincoln-12",
        "/kiosks/grant-2",
        "/sessions/s-old",
        "/sign-in",
        "/none",
    )
    for path in paths:
        page.goto(site.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
        clipped = page.evaluate(_CLIPPED)
        assert not clipped, f"{path}: cut off: {clipped}"
    context.close()


_CLIPPED = """() => [...document.querySelectorAll('h1, h2, h3, p, a, button, td, th, dd, dt, .pill')]
  .filter((one) => !one.closest('.unseen, .skip') && one.offsetParent)
  .filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < -1 || box.right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 2 && one.clientWidth > 0
      && getComputedStyle(one).display !== 'inline';
  })
  .map((one) => one.outerHTML.slice(0, 120))"""
