"""Setting up the cameras as IT does it: on the kiosk's own screen, with one press, or over ssh; then it knows."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.system.browser import barriers, cut_off
from tests.system.running import Kiosk, running_demo, until

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_mosquitto, pytest.mark.timeout(400)]

KIOSK: ViewportSize = {"width": 1024, "height": 600}


def signals(kiosk: Kiosk) -> set[tuple[str, str | None]]:
    return {(one["id"], one["role"]) for one in kiosk.state["readiness"]["signals"]}


def picture_there(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('#picture img') !== null")


def fits(page: Page) -> None:
    assert cut_off(page) == []
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 1
    assert barriers(page) == []


def test_it_sets_up_the_cameras_on_the_screen_and_the_kiosk_knows_from_then_on(
    browser: Browser, screenshots: Path
) -> None:
    with running_demo("--kiosks", "1", clips=False) as demo:
        kiosk = demo.kiosk
        kiosk.camera("overhead", "moved")
        page = browser.new_page(viewport=KIOSK)
        page.goto(kiosk.screen)
        page.locator("#more").click()
        page.get_by_role("button", name="Set up the cameras").click()
        expect(page.locator("#headline")).to_contain_text("Turn the camera", timeout=20_000)
        picture_there(page)
        expect(page.locator("#arrow")).to_be_visible()
        fits(page)
        page.screenshot(path=screenshots / "commission-turn.png")

        kiosk.camera("overhead", "blurred")
        expect(page.locator("#headline")).to_have_text("Turn the focus ring", timeout=20_000)
        page.screenshot(path=screenshots / "commission-focus.png")
        kiosk.camera("overhead", "covered")
        expect(page.locator("#headline")).to_have_text("The desk camera is covered", timeout=20_000)

        kiosk.camera("overhead", "none")
        expect(page.locator("#headline")).to_have_text("Everything is good", timeout=40_000)
        page.wait_for_function("() => document.querySelector('#sheet img') !== null")
        fits(page)
        page.screenshot(path=screenshots / "commission-ready.png")
        kiosk.press()
        expect(page.locator("#headline")).to_have_text("Kept", timeout=10_000)
        page.screenshot(path=screenshots / "commission-kept.png")
        expect(page).to_have_url(f"{kiosk.screen}/", timeout=15_000)
        page.close()
        assert kiosk.state["session"] is None, "that press confirmed; it started nothing"
        assert kiosk.state["setup"]["by"] == "it"
        assert kiosk.state["setup"]["px_per_mm"] == pytest.approx(2.0, rel=0.01)
        until(lambda: any(row["type"] == "cameras.commissioned" for row in kiosk.ledger()), 20, "the row arrives")

        # Moved while the power is out: only who has a reference from before can know.
        kiosk.camera("overhead", "moved")
        kiosk.cut_power(1.0)
        time.sleep(1.5)
        until(lambda: kiosk.state["state"] == "idle" or None, 30, "the kiosk is back")
        until(lambda: ("camera.moved", "overhead") in signals(kiosk) or None, 30, "it knows where the mat lay")
        assert signals(kiosk) == {("camera.moved", "overhead")}
        kiosk.camera("overhead", "none")
        until(lambda: not signals(kiosk) or None, 30, "and that it is back")


def test_exchanged_cameras_are_named_and_put_right_with_one_press(browser: Browser, screenshots: Path) -> None:
    with running_demo("--kiosks", "1", "--overhead", "scene:student", "--front", "scene:desk", clips=False) as demo:
        kiosk = demo.kiosk
        until(lambda: kiosk.has_signal("camera.swapped") or None, 30, "the exchange is seen")
        page = browser.new_page(viewport=KIOSK)
        page.goto(f"{kiosk.screen}/commission")
        expect(page.locator("#headline")).to_have_text("The cameras are exchanged", timeout=20_000)
        picture_there(page)
        page.screenshot(path=screenshots / "commission-exchanged.png")
        page.get_by_role("button", name="Exchange the cameras").click()
        expect(page.locator("#headline")).to_have_text("Everything is good", timeout=60_000)
        page.get_by_role("button", name="Keep this · I am the aide").click()
        expect(page.locator("#headline")).to_have_text("Kept", timeout=10_000)
        page.close()
        until(lambda: not signals(kiosk) or None, 30, "nothing is wrong any more")
        assert kiosk.state["setup"]["by"] == "aide"
        kiosk.cut_power(1.0)
        time.sleep(1.5)
        until(lambda: kiosk.state["cameras"].get("overhead", {}).get("mat", None), 30, "the overhead camera looks")
        until(lambda: kiosk.state["cameras"]["overhead"]["mat"]["markers"] == 4 or None, 20, "it still sees the mat")
        assert kiosk.state["setup"]["by"] == "aide"


def test_over_ssh_the_same_is_told_in_words(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path), clips=False) as demo:
        config = tmp_path / demo.kiosk.id / "kiosk.toml"
        command = [sys.executable, "-m", "device.cli", "commission", "--config", str(config)]
        demo.kiosk.camera("overhead", "dark")
        failed = subprocess.run(
            [*command, "--within", "8", "--confirm"], capture_output=True, text=True, check=False, timeout=60
        )
        assert failed.returncode == 1
        assert "It is too dark" in failed.stderr
        demo.kiosk.camera("overhead", "none")
        done = subprocess.run(
            [*command, "--within", "60", "--confirm"], capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 0, done.stderr
        assert "Scale: 2.0 pixels per mm" in done.stdout
        assert "Kept" in done.stdout.splitlines()[-1]


def test_with_the_picture_checks_off_no_fault_of_a_picture_is_noticed() -> None:
    with running_demo("--kiosks", "1", "--no-picture-checks", clips=False) as demo:
        kiosk = demo.kiosk
        until(lambda: kiosk.state["cameras"].get("overhead", {}).get("state") == "open" or None, 30, "it is open")
        for fault in ("covered", "dark", "overexposed", "blurred", "frozen", "glare", "moved"):
            kiosk.camera("overhead", fault)
            time.sleep(4)
            assert signals(kiosk) == set(), fault
        assert kiosk.state["cameras"]["overhead"]["seen"] is None
        refused = demo.http.post(
            f"{kiosk.screen}/api/commission", json={"do": "begin"}, headers={"Origin": kiosk.screen}
        )
        assert refused.status_code == 409
        assert "picture_checks" in refused.json()["error"]
        kiosk.camera("overhead", "unplugged")
        until(lambda: kiosk.has_signal("camera.missing", "overhead") or None, 20, "that needs no look at a picture")
