"""A fault on a kiosk of the demo: the incident, its notices, the console, and that it is over."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import barriers, cut_off
from tests.system.running import Demo, Kiosk, running_demo, until

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_mosquitto, pytest.mark.timeout(400)]

WITHIN_MS = 15_000


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest, folder: Path) -> Iterator[Demo]:
    """One kiosk on real clips; pictures that are kept show drawn scenes, whose evidence names no file."""
    clips = not request.config.getoption("--screenshots")
    with running_demo("--kiosks", "1", "--data-dir", str(folder), clips=clips) as found:
        yield found


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """Someone of IT, at the list of incidents; each link signs in once more."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(demo.told["sign_in"]["it"])
    expect(page.locator("#board")).to_be_visible(timeout=WITHIN_MS)
    yield page
    context.close()


def incidents(demo: Demo, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = demo.fleet("incidents?" + "&".join(f"{k}={v}" for k, v in query.items()))["items"]
    return found


def of(demo: Demo, signal: str, state: str = "open") -> dict[str, Any] | None:
    return next((one for one in incidents(demo) if one["signal"] == signal and one["state"] == state), None)


def arrived(demo: Demo) -> dict[str, Any]:
    return dict(demo.http.get(f"{demo.lab}/notices").json())


def mails(demo: Demo, to: str, about: str) -> list[dict[str, Any]]:
    return [one for one in arrived(demo)["mails"] if one["to"] == [to] and about in one["subject"]]


def test_a_covered_camera_is_told_shown_looked_after_and_over(
    demo: Demo, kiosk: Kiosk, page: Page, screenshots: Path
) -> None:
    kiosk.camera("overhead", "covered")
    expect(page.locator("#told")).to_contain_text("The desk camera is covered.", timeout=WITHIN_MS)
    expect(page.locator("#waiting")).to_have_text("1")
    page.screenshot(path=screenshots / "board-notice.png")
    one = until(lambda: of(demo, "camera.covered"), 15, "an incident is open")
    assert one["evidence"]
    until(lambda: mails(demo, "lee@lab.example", "is covered"), 15, "the point person has a mail")
    until(lambda: any(h["data"]["incident"] == one["id"] for h in arrived(demo)["webhooks"]), 15, "and the program")
    assert mails(demo, "it@lab.example", "is covered") == [], "IT is told when nobody looks after it for three minutes"
    [mail] = mails(demo, "lee@lab.example", "is covered")
    link = re.search(r"http://\S+", mail["text"])
    assert link is not None
    page.goto(link.group())
    expect(page.locator("h1")).to_contain_text("The desk camera is covered.")
    page.get_by_role("button", name="Acknowledge").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pills").first).to_contain_text("Looked after", timeout=WITHIN_MS)
    expect(page.locator("#told")).to_be_hidden(timeout=WITHIN_MS)
    page.locator("summary").first.click()
    assert cut_off(page) + barriers(page) == []
    page.screenshot(path=screenshots / "incident-1440.png", full_page=True)
    kiosk.camera("overhead", "none")
    expect(page.locator(".lines")).to_contain_text("Over", timeout=WITHIN_MS)
    until(lambda: of(demo, "camera.covered", "resolved"), 15, "it is over")
    until(lambda: mails(demo, "lee@lab.example", "Over: "), 15, "who was told hears that it is over")
    sent = demo.fleet(f"incidents/{one['id']}")["notices"]
    assert {told["state"] for told in sent if told["channel"] != "in-page"} == {"sent"}


def test_the_list_and_the_inbox_renew_themselves_and_have_no_barriers(
    demo: Demo, kiosk: Kiosk, page: Page, screenshots: Path
) -> None:
    page.goto(f"{demo.url}/incidents")
    expect(page.locator("h1")).to_have_text("Incidents")
    kiosk.camera("front", "unplugged")
    shown = page.locator("#open + ul")
    expect(shown).to_contain_text("The front camera gives no picture.", timeout=WITHIN_MS)
    shown.locator("summary").first.click()
    shown.get_by_label("because").first.fill("being repaired")
    shown.get_by_role("button", name="Suppress").first.click()
    expect(shown).to_contain_text("Suppressed until", timeout=WITHIN_MS)
    until(lambda: kiosk.seen["verdict"] == "ready", 15, "what is suppressed is out of the verdict")
    assert cut_off(page) + barriers(page) == []
    page.screenshot(path=screenshots / "incidents-1440.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert cut_off(page) + barriers(page) == []
    page.screenshot(path=screenshots / "incidents-390.png", full_page=True)
    page.goto(f"{demo.url}/notices")
    expect(page.locator("#inbox + ul")).to_contain_text("The front camera gives no picture.")
    expect(page.locator("#left + ul")).to_contain_text("by webhook")
    assert cut_off(page) + barriers(page) == []
    page.screenshot(path=screenshots / "notices-390.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert cut_off(page) + barriers(page) == []
    page.screenshot(path=screenshots / "notices-1440.png", full_page=True)
    page.goto(f"{demo.url}/kiosks/{kiosk.id}")
    expect(page.locator("section[aria-labelledby=incidents]")).to_contain_text("Suppressed until")
    assert cut_off(page) + barriers(page) == []
    kiosk.camera("front", "none")
    expect(page.locator("section[aria-labelledby=incidents]")).to_contain_text("None is open.", timeout=30_000)


def test_help_from_the_room_is_answered_and_the_room_hears_it(demo: Demo, kiosk: Kiosk, page: Page) -> None:
    answer = demo.http.post(
        f"{kiosk.screen}/api/action", json={"name": "help", "value": "adult"}, headers={"Origin": kiosk.screen}
    )
    assert answer.is_success, answer.text
    expect(page.locator("#told")).to_contain_text("The room called for an adult.", timeout=WITHIN_MS)
    page.locator("#told a").click()
    page.wait_for_url("**/incidents/*")
    expect(page.locator("body[data-listens]")).to_be_attached(timeout=WITHIN_MS)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".pills").first).to_contain_text("Looked after", timeout=WITHIN_MS)
    heard = until(lambda: [row for row in kiosk.ledger() if row["type"] == "command.run"], 15, "the kiosk was told")
    assert heard[-1]["data"]["name"] == "help-answered"
    until(lambda: [row for row in kiosk.ledger() if row["type"] == "help.answered"], 15, "and shows it")
    page.get_by_role("button", name="It is over").click()
    expect(page.locator(".lines")).to_contain_text("Over", timeout=WITHIN_MS)


def test_a_camera_that_comes_and_goes_is_held_and_counted(demo: Demo, kiosk: Kiosk) -> None:
    for turn in range(3):
        kiosk.camera("overhead", "dark")
        until(lambda: of(demo, "camera.dark"), 20, "it is open")
        kiosk.camera("overhead", "none")
        if turn < 2:
            until(lambda: of(demo, "camera.dark", "resolved"), 20, "it is over")
    held = until(lambda: (one := of(demo, "camera.dark")) and one["flapping"] and one, 20, "it flaps")
    assert (held["opening"], held["state"]) == (3, "open")
    until(lambda: "cleared" in _whats(demo, held["id"]), 20, "its signal is clear, and it is held")
    time.sleep(3)
    assert of(demo, "camera.dark") is not None


def _whats(demo: Demo, incident: str) -> list[str]:
    return [line["what"] for line in demo.fleet(f"incidents/{incident}")["timeline"]]
