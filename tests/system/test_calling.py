"""An adult called from a real kiosk's screen: answered, by nobody for a minute, and without a network."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.device.screen.fitting import DISPLAY, STAGE, fits, opened
from tests.system.browser import barriers
from tests.system.running import Demo, running_demo, until

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_mosquitto, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running_demo("--kiosks", "3", clips=False) as found:
        yield found


def called(page: Page, address: str) -> None:
    """Two taps."""
    page.goto(address)
    expect(page.locator("#more")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Call an adult").click()


def test_an_answered_call(browser: Browser, demo: Demo) -> None:
    kiosk = demo.kiosks[0]
    page = browser.new_page(viewport=DISPLAY)
    called(page, kiosk.screen)
    expect(page.locator("#do")).to_have_text("The point person and the office are being called.")
    (row,) = until(
        lambda: [one for one in kiosk.ledger() if one["type"] == "help.called"], 20, "the fleet has the call"
    )
    assert row["data"]["kind"] == "adult"
    answer = demo.http.post(
        f"{demo.url}/api/v1/kiosks/{kiosk.id}/commands",
        json={"name": "help-answered", "args": {"by_role": "office", "call": row["data"]["call"]}},
        headers={"Authorization": f"Bearer {demo.told['api_token']}"},
    )
    assert answer.status_code == 202, answer.text
    expect(page.locator("#do")).to_have_text("The office has answered.", timeout=15_000)
    expect(page.locator("#then")).to_contain_text("This is no emergency call.")
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Help has come").click()
    expect(page.locator("#do")).to_have_text("Press the button to start.", timeout=10_000)
    until(lambda: {"help.answered", "help.over"} <= {one["type"] for one in kiosk.ledger()}, 20, "the fleet has it all")
    page.close()


def test_after_a_minute_nobody_has_answered_a_call_from_a_session(browser: Browser, demo: Demo) -> None:
    kiosk = demo.kiosks[1]
    kiosk.start_session()
    page = browser.new_page(viewport=DISPLAY)
    opened(page, kiosk.screen)
    expect(page.locator("h1")).to_contain_text("In session", timeout=15_000)
    page.mouse.click(*STAGE)
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Call an adult").click()
    expect(page.locator("#do")).to_have_text("The point person and the office are being called.")
    expect(page.locator("#do")).to_contain_text("No one has answered yet.", timeout=75_000)
    expect(page.locator("h1")).to_contain_text("In session")
    assert fits(page) + barriers(page) == []
    page.close()


def test_without_a_network_the_screen_says_whom_to_call_and_the_call_arrives_later(
    browser: Browser, demo: Demo
) -> None:
    kiosk = demo.kiosks[2]
    kiosk.cut_link("reset")
    until(lambda: not kiosk.state["link"]["up"], 20, "the link is down")
    page = browser.new_page(viewport=DISPLAY)
    called(page, kiosk.screen)
    expect(page.locator("#do")).to_contain_text("No network: no one has heard it.", timeout=10_000)
    assert not [one for one in kiosk.ledger() if one["type"] == "help.called"]
    kiosk.restore_link()
    until(lambda: [one for one in kiosk.ledger() if one["type"] == "help.called"], 60, "the call arrived")
    expect(page.locator("#do")).not_to_contain_text("No network", timeout=20_000)
    page.close()
