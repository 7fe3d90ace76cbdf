"""A therapist asks for a worksheet: the whole way, from the desk's pixels to a length in millimetres in a browser."""

import json
import math
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from device.kit import kit
from tests.device.test_worksheet_still import middles_in, px_per_mm_in
from tests.system.browser import barriers, cut_off, signs_in
from tests.system.running import Demo, Kiosk, running_demo, until
from wire.stills import hash_of

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.needs_chromium, pytest.mark.timeout(300)]

PX_PER_MM = 1280 / 640
"""The scene's camera sees 640 mm of the desk in 1280 pixels."""


def asks(demo: Demo, kiosk: Kiosk, **body: Any) -> dict[str, Any]:
    """Ask for a still by the demo's token, and wait for what came of it."""
    headers = {"Authorization": f"Bearer {demo.told['api_token']}"}
    address = f"{demo.url}/api/v1/kiosks/{kiosk.id}/commands"
    sent = demo.http.post(address, json={"name": "still", "expires_in_s": 5, **body}, headers=headers)
    assert sent.status_code == 202, sent.text

    def answered() -> dict[str, Any] | None:
        told = demo.fleet(f"kiosks/{kiosk.id}/commands/{sent.json()['id']}")
        return told if told["state"] == "answered" else None

    return until(answered, 15, "the kiosk answers")


def sees_mat(kiosk: Kiosk) -> None:
    def found() -> bool:
        overhead = kiosk.state["cameras"].get("overhead", {})
        return bool((overhead.get("mat") or {}).get("px_per_mm"))

    until(found, 30, "the mat is found")


def lying_in(folder: Path, *names: str) -> bytes:
    return b"".join(path.read_bytes() for name in names for path in folder.rglob(name) if path.is_file())


def test_a_worksheet_arrives_straight_with_its_scale_and_is_measured(
    browser: Browser, tmp_path: Path, screenshots: Path
) -> None:
    with running_demo("--kiosks", "1", "--record", "--data-dir", str(tmp_path / "demo"), clips=False) as demo:
        kiosk = demo.kiosk
        assert asks(demo, kiosk)["reply"]["error"] == "no-session"
        kiosk.press()
        session = kiosk.reaches("live")["session"]["id"]
        began = time.monotonic()
        sees_mat(kiosk)

        told = asks(demo, kiosk, args={"role": "overhead", "view": "worksheet"})
        assert told["reply"]["ok"], told["reply"]
        figures = demo.fleet(told["still"].removeprefix("/api/v1/"))
        assert told["reply"]["result"]["px_per_mm"] == figures["px_per_mm"]
        assert (figures["session"], figures["origin"], figures["sharp"]) == (session, "mat", False)
        picture = demo.ask(figures["image"].removeprefix("/api/v1/"))
        jpeg = picture.content
        assert picture.headers["cache-control"] == "no-store"
        scale = float(picture.headers["x-pixels-per-millimetre"])
        assert scale == pytest.approx(PX_PER_MM, rel=0.01)
        assert px_per_mm_in(jpeg) == pytest.approx(scale, rel=0.01), "the mat in the picture says the same"
        assert (figures["hash"], figures["bytes"]) == (hash_of(jpeg), len(jpeg))

        until(lambda: any(row["type"] == "still.taken" for row in kiosk.ledger()), 20, "the ledger tells of it")
        [taken] = [row for row in kiosk.ledger() if row["type"] == "still.taken"]
        assert (taken["session"], taken["data"]["hash"], taken["data"]["command"]) == (
            session,
            hash_of(jpeg),
            told["id"],
        )

        looks_and_measures(browser, demo, figures, jpeg, screenshots)
        viewers = [row["who"] for row in demo.fleet("audit")["items"] if row["what"] == "still.viewed"]
        assert viewers == ["demo-therapist", "demo-portal"]

        # Nothing of it lies anywhere in clear: not at the fleet, and on the kiosk not even sealed.
        at_fleet = lying_in(tmp_path / "demo" / "fleet", "fleet.sqlite*")
        on_kiosk = lying_in(tmp_path / "demo" / kiosk.id, "*")
        with sqlite3.connect(tmp_path / "demo" / "fleet" / "data" / "fleet.sqlite") as database:
            [(sealed,)] = database.execute("select sealed from stills").fetchall()
        database.close()
        assert sealed[:64] in at_fleet, "it is the very file that is looked through"
        assert sealed[100:164] not in on_kiosk
        for pile in (at_fleet, on_kiosk):
            assert b"JFIF" not in pile
            assert not [start for start in range(0, len(jpeg) - 24, 499) if jpeg[start : start + 24] in pile]

        time.sleep(max(0.0, 6 - (time.monotonic() - began)))  # the first seconds of a session are deaf
        kiosk.press()
        kiosk.reaches("paused")
        refused = asks(demo, kiosk)["reply"]
        assert (refused["ok"], refused["error"]) == (False, "paused")
        kiosk.press()
        kiosk.reaches("live", "starting")
        answer = demo.http.post(
            f"{kiosk.screen}/api/action",
            json={"name": "not-this-student", "value": ""},
            headers={"Origin": kiosk.screen},
        )
        assert answer.is_success, answer.text
        until(lambda: demo.ask(figures["image"].removeprefix("/api/v1/")).status_code == 410, 20, "it is destroyed")
        assert asks(demo, kiosk)["reply"]["error"] == "not-this-student"
        until(
            lambda: sealed[100:164] not in lying_in(tmp_path / "demo" / "fleet", "fleet.sqlite*"),
            20,
            "no byte of it is left in the fleet's database",
        )


def looks_and_measures(browser: Browser, demo: Demo, figures: dict[str, Any], jpeg: bytes, screenshots: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    signs_in(page, demo.url, demo.told["sign_in"]["therapist"])
    page.goto(f"{demo.url}/kiosks/{demo.kiosk.id}")
    expect(page.get_by_role("button", name="Ask for a worksheet")).to_be_visible(timeout=10_000)
    page.screenshot(path=screenshots / "worksheet-asked-for-1440.png")
    page.goto(f"{demo.url}/sessions/{figures['session']}")
    expect(page.locator(".sheets li")).to_have_count(1)
    page.locator(".sheets a").click()
    page.wait_for_url(f"{demo.url}/stills/{figures['id']}")
    expect(page.locator(".pill")).to_have_text("2.0 px per mm: too coarse to judge letters; move the camera closer")
    page.wait_for_load_state("networkidle")
    box = page.locator("#sheet").bounding_box()
    assert box is not None
    # From the middle of one marker to that of another, as they are found in the picture: the printed mat says how far.
    one, other = kit().mat.markers[0], kit().mat.markers[1]
    true_mm = math.hypot(one.x_mm - other.x_mm, one.y_mm - other.y_mm)
    middles = middles_in(jpeg)
    for marker in (one, other):
        x, y = middles[marker.id]
        page.mouse.click(box["x"] + x, box["y"] + y)
    told_mm = float(page.locator("#length").inner_text().split()[0])
    assert told_mm == pytest.approx(true_mm, rel=0.01)
    expect(page.locator("#length")).to_contain_text("give or take")
    page.screenshot(path=screenshots / "worksheet-1440.png")
    assert cut_off(page) == []
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=screenshots / "worksheet-390.png")
    assert cut_off(page) == []
    page.close()


def test_without_a_booking_nobodys_consent_is_known(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path), clips=False) as demo:
        kiosk = demo.kiosk
        kiosk.press()
        kiosk.reaches("live")
        told = asks(demo, kiosk)
        assert (told["reply"]["error"], told["still"]) == ("unplanned", None)
        assert "consent" in told["reply"]["detail"]
        assert "still.taken" not in json.dumps(kiosk.ledger())
        assert b"JFIF" not in lying_in(tmp_path, "*")
