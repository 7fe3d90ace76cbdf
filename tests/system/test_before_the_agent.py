"""What stands on a kiosk's screen before its bundle is applied, in a browser, until the agent's own page takes over."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.broker import free_port
from tests.device.appliance.kiosk_files import running, toml
from tests.device.appliance.test_waiting import WITHIN_S, health
from tests.system.browser import barriers, cut_off, smaller_than

pytestmark = pytest.mark.needs_chromium


@pytest.mark.timeout(240)
def test_the_page_says_what_is_missing_and_gives_way_to_the_agent(
    tmp_path: Path, browser: Browser, screenshots: Path
) -> None:
    config, port = tmp_path / "kiosk.toml", free_port()
    with running("waiting", "--config", str(config), "--port", str(port)) as waiting:
        health(port)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{port}/")
        assert page.locator("body").get_attribute("data-waiting") == "no-settings"
        assert page.locator("h1").inner_text() == "This kiosk has not been set up"
        assert page.locator("[lang=es] h2").inner_text() == "Este equipo aún no está configurado"
        assert (cut_off(page), barriers(page), smaller_than(page, 16)) == ([], [], [])
        page.screenshot(path=screenshots / "kiosk-not-set-up.png")

        config.write_text(toml(tmp_path, port).replace("campus", "campsu", 1), encoding="utf-8")
        page.wait_for_selector("[data-waiting=bad-settings]", timeout=WITHIN_S * 1_000)
        assert "did you mean 'campus'?" in page.locator("#detail").inner_text()
        assert (cut_off(page), barriers(page)) == ([], [])
        page.screenshot(path=screenshots / "kiosk-settings-refused.png")

        config.write_text(toml(tmp_path, port), encoding="utf-8")
        assert waiting.wait(WITHIN_S) == 0
        with running("run", "--config", str(config)):
            page.wait_for_selector("[data-screen]", timeout=WITHIN_S * 1_000)
            assert page.locator("[data-waiting]").count() == 0
